"""Blacklists from and to CSV files."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from blacklist.models import Rule
from blacklist.saving import version_of
from tests.blacklist.views.pages import COMPANY, MINE, fill, make_rules, values
from tests.people import People, logged_in, people

__all__ = ["people"]

HEADER = "kind,value,ignore_quoted\n"


def upload(client: Client, path: str, content: str | bytes, mode: str = "add") -> Any:
    raw = content if isinstance(content, bytes) else content.encode()
    return client.post(f"{path}import/", {"file": SimpleUploadedFile("rules.csv", raw), "mode": mode})


def confirm(client: Client, path: str, preview: Any, action: str = "import") -> Any:
    return client.post(f"{path}import/", {"action": action, "carried": preview.context["preview"].carried})


def buttons(preview: Any) -> list[tuple[str, str]]:
    """The class and caption of each button that imports."""
    return re.findall(r'<button class="([^"]+)" name="action" value="import\w*">([^<]+)', preview.content.decode())


def test_export_and_import_give_the_same_list(people: People) -> None:
    fill(None, "=acme.example, b.example, ann@c.example", "nda, Übernahme*", actor=people.manager)
    client = logged_in(people.manager)
    response = client.get(f"{COMPANY}export/")
    assert response["Content-Disposition"] == 'attachment; filename="company-blacklist.csv"'
    content = b"".join(response)
    assert content.decode("utf-8-sig").splitlines() == [
        "kind,value,ignore_quoted",
        "address,ann@c.example,no",
        "domain,'=acme.example,no",
        "domain,b.example,no",
        "keyword,nda,no",
        "keyword,Übernahme*,no",
    ]
    before = values()
    Rule.objects.all().delete()
    assert confirm(client, COMPANY, upload(client, COMPANY, content))["Location"] == COMPANY
    assert values() == before


def test_export_of_my_blacklist_holds_the_own_rules_alone(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    fill(people.rep, "", "divorce", actor=people.rep)
    fill(people.other_rep, "", "doctor", actor=people.other_rep)
    lines = b"".join(logged_in(people.rep).get(f"{MINE}export/")).decode("utf-8-sig").splitlines()
    assert lines == ["kind,value,ignore_quoted", "keyword,divorce,no"]


def test_import_adds_after_its_preview(people: People) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    client = logged_in(people.rep)
    response = upload(client, MINE, f"{HEADER}keyword,NDA,yes\nkeyword,merger,yes\ndomain,acme.example,\n")
    review = response.context["preview"].review
    assert ([rule.value for rule in review.rules], [rule.value for rule in review.there]) == (
        ["merger", "acme.example"],
        ["NDA"],
    )
    assert values(people.rep) == ["nda"]
    confirm(client, MINE, response)
    assert values(people.rep) == ["acme.example", "~merger", "nda"]


def test_import_replaces_after_its_preview(people: People) -> None:
    fill(None, "", "nda, merger, layoff", actor=people.manager)
    client = logged_in(people.manager)
    response = upload(client, COMPANY, f"{HEADER}keyword,nda,yes\nkeyword,new,\n", mode="replace")
    preview = response.context["preview"]
    assert (preview.first_going, preview.empties) == ([("layoff", "Keyword"), ("merger", "Keyword")], False)
    assert buttons(response) == [("pb-button pb-button-bad", "Remove 2 and add 1")]
    confirm(client, COMPANY, response)
    assert values() == ["~nda", "new"]


@pytest.mark.parametrize("path", [COMPANY, MINE])
def test_import_that_empties_a_long_list_says_so_and_names_the_first_that_go(people: People, path: str) -> None:
    owner = people.manager if path == MINE else None
    make_rules(owner, [f"word{number:05}" for number in range(10_010)])
    if owner:
        make_rules(None, ["theirs"])  # stays, and is not among those that go
    client = logged_in(people.manager)
    response = upload(client, path, HEADER, mode="replace")
    page = response.content.decode()
    assert [value for value, _kind in response.context["preview"].first_going] == [f"word{n:05}" for n in range(20)]
    assert ("Entries that go: 20 of 10,010" in page, "The list will be empty." in page) == (True, True)
    assert ("word00019</td>" in page, "word00020</td>" in page, "theirs" in page) == (True, False, False)
    assert buttons(response) == [("pb-button pb-button-bad", "Remove 10,010 and add 0")]
    assert len(values(owner)) == 10_010
    confirm(client, path, response)
    assert values(owner) == []


@pytest.mark.parametrize("mode", ["add", "replace"])
def test_import_that_removes_nothing_has_no_red_button(people: People, mode: str) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    response = upload(logged_in(people.rep), MINE, f"{HEADER}keyword,nda,\nkeyword,merger,\n", mode=mode)
    preview = response.context["preview"]
    assert (preview.removed, preview.added, preview.empties) == (0, 1, False)
    assert buttons(response) == [("pb-button pb-button-first", "Import as it stands in the file")]


def test_import_that_removes_and_warns_says_so_on_both_buttons(people: People) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    response = upload(logged_in(people.rep), MINE, f"{HEADER}keyword,confidential,\n", mode="replace")
    both = "Remove 1 and add 1"
    assert buttons(response) == [
        (
            "pb-button pb-button-bad",
            f"{both}, leaving out signatures, disclaimers and quoted text where it is warned of",
        ),
        ("pb-button pb-button-bad", both),
    ]


def test_m20_import_warns_and_offers_to_leave_out_quoted_text(people: People) -> None:
    client = logged_in(people.manager)
    response = upload(client, COMPANY, f"{HEADER}keyword,confidential,\nkeyword,merger,\n")
    assert [doubt.rule.value for doubt in response.context["preview"].review.doubts] == ["confidential"]
    confirm(client, COMPANY, response, "import_leaving_out")
    assert values() == ["~confidential", "merger"]


def test_import_with_bad_lines_saves_nothing(people: People) -> None:
    client = logged_in(people.manager)
    response = upload(client, COMPANY, f"{HEADER}keyword,merger,\ndomain,co.uk,\n")
    assert response.context["form"].errors == {
        "file": ["1 line can't be imported, so nothing was. Mend it and choose the file again."]
    }
    assert "“co.uk” is an ending that many organisations share." in response.content.decode()
    assert ("preview" in response.context, values()) == (False, [])


def test_import_with_a_hundred_thousand_bad_lines(people: People) -> None:
    response = upload(logged_in(people.rep), MINE, HEADER + "domain,two words,\n" * 100_000)
    assert response.context["form"].errors == {
        "file": ["100,000 lines can't be imported, so nothing was. Mend them and choose the file again."]
    }
    assert response.content.count(b"has a space in it") == 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"x" * 5_000_001, "The file has more than 5 MB. Import it in parts."),
        (
            f"{HEADER}keyword,Übernahme,\n".encode() + "keyword,Vergütung,\n".encode("windows-1252"),
            "The file is not UTF-8 (line 3). In Excel, save it as “CSV UTF-8 (comma delimited)”.",
        ),
    ],
)
def test_import_of_what_cannot_be_read(people: People, content: bytes, message: str) -> None:
    response = upload(logged_in(people.rep), MINE, content)
    assert response.context["form"].errors == {"file": [message]}


def test_import_without_a_file(people: People) -> None:
    response = logged_in(people.rep).post(f"{MINE}import/", {"mode": "add"})
    assert response.context["form"].errors == {"file": ["This field is required."]}


def test_import_of_an_older_preview_says_what_came_between(people: People) -> None:
    client = logged_in(people.manager)
    preview = upload(client, COMPANY, f"{HEADER}keyword,merger,\n")
    fill(None, "acme.example", actor=people.admin)
    response = confirm(client, COMPANY, preview)
    assert (response.status_code, values()) == (409, ["acme.example"])
    assert "added 1 domain: acme.example" in response.content.decode()
    assert confirm(client, COMPANY, response).status_code == 302
    assert values() == ["acme.example", "merger"]


def test_import_of_somebody_elses_or_forged_preview_is_refused(people: People) -> None:
    preview = upload(logged_in(people.other_rep), MINE, f"{HEADER}keyword,merger,\n")
    mine = logged_in(people.rep)
    assert confirm(mine, MINE, preview).status_code == 400
    response = mine.post(f"{MINE}import/", {"action": "import", "carried": "forged"})
    assert response.context["error"] == (
        "This preview no longer counts, so nothing was imported. Choose the file again."
    )
    preview = upload(logged_in(people.manager), MINE, f"{HEADER}keyword,merger,\n")
    assert confirm(logged_in(people.manager), COMPANY, preview).status_code == 400
    assert Rule.objects.count() == 0


def test_import_of_ten_thousand(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.manager)
    preview = upload(client, COMPANY, HEADER + "".join(f"keyword,word{number},\n" for number in range(10_000)))
    with django_assert_max_num_queries(120):
        assert confirm(client, COMPANY, preview).status_code == 302
    assert (Rule.objects.count(), version_of(None)) == (10_000, 1)


@pytest.mark.parametrize("number", [3, 300])
def test_query_counts(people: People, django_assert_num_queries: DjangoAssertNumQueries, number: int) -> None:
    make_rules(None, [f"word{each}" for each in range(number)])
    client = logged_in(people.manager)
    client.get(f"{COMPANY}import/")
    with django_assert_num_queries(4):
        b"".join(client.get(f"{COMPANY}export/"))
    lines = "".join(f"keyword,other{each},\n" for each in range(number))
    for mode in ("add", "replace"):
        with django_assert_num_queries(8):
            upload(client, COMPANY, HEADER + lines, mode)
