"""The Company Blacklist (M18), My Blacklist (M19), and the warnings (M20)."""

from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from blacklist.models import Rule, RuleSet
from blacklist.saving import version_of
from teams.models import Organisation
from tests.blacklist.views.pages import COMPANY, MINE, fill, make_rules, post, values
from tests.people import People, logged_in, people

__all__ = ["people"]

CONFIDENTIAL = (
    "“confidential” stands in many signatures and disclaimers: messages are stopped for that alone, unless the rule "
    "leaves out signatures, disclaimers and quoted text."
)
OWN_DOMAIN = (
    "“example.com” would stop the mail of your own organisation (example.com). Mail between colleagues alone is left "
    "out by “leave out internal mail” under CRM Email Sync; no rule is needed."
)
COMPANYS = [COMPANY, f"{COMPANY}import/", f"{COMPANY}export/", f"{COMPANY}try/"]


def told(response: object) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


# Who may


@pytest.mark.parametrize("path", [*COMPANYS, MINE, f"{MINE}import/", f"{MINE}export/", f"{MINE}try/"])
def test_strangers_log_in(db: None, path: str) -> None:
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("path", COMPANYS)
def test_m18_only_managers_and_admins(people: People, path: str) -> None:
    status = {user: logged_in(user).get(path).status_code for user in (people.rep, people.manager, people.admin)}
    assert status == {people.rep: 403, people.manager: 200, people.admin: 200}


@pytest.mark.parametrize("path", COMPANYS[:2] + COMPANYS[3:])
def test_m18_reps_cannot_forge_a_save(people: People, path: str) -> None:
    response = post(logged_in(people.rep), path, None, keywords="nda")
    assert (response.status_code, values()) == (403, [])


@pytest.mark.parametrize("path", [COMPANY, MINE])
def test_forged_forms_are_refused(people: People, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.manager)
    assert client.post(path, {"version": 0, "action": "save", "keywords": "nda"}).status_code == 403
    assert Rule.objects.count() == 0


# What it does


def test_m18_managers_fill_the_company_blacklist(people: People) -> None:
    client = logged_in(people.manager)
    response = post(
        client, COMPANY, None, senders="acme.example, ann@b.example\r\n=c.example", keywords="nda\r\nmerger"
    )
    assert (response.status_code, response["Location"]) == (302, COMPANY)
    assert told(response) == ["Saved: 5 entries added."]
    assert values() == ["ann@b.example", "=c.example", "acme.example", "merger", "nda"]
    assert "SAVE CHANGES" in client.get(COMPANY).content.decode()


def test_m18_the_option_counts_for_the_keywords_that_are_added(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    post(logged_in(people.manager), COMPANY, None, senders="acme.example", keywords="merger", ignore_quoted="on")
    assert values() == ["acme.example", "~merger", "nda"]


def test_removing_and_switching_the_option(people: People) -> None:
    fill(None, "acme.example", "nda, merger", actor=people.manager)
    uuids = dict(Rule.objects.values_list("match", "uuid"))
    client = logged_in(people.manager)
    response = post(client, COMPANY, None, remove=str(uuids["acme.example"]), quoted=str(uuids["nda"]))
    assert told(response) == ["Saved: 1 entry removed, 1 option changed."]
    assert values() == ["merger", "~nda"]
    post(client, COMPANY, None, was_quoted=str(uuids["nda"]))
    assert values() == ["merger", "nda"]


def test_m19_everyone_has_a_blacklist_of_their_own(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    post(logged_in(people.rep), MINE, people.rep, keywords="divorce")
    post(logged_in(people.manager), MINE, people.manager, keywords="therapy")
    assert (values(), values(people.rep), values(people.manager)) == (["nda"], ["divorce"], ["therapy"])


def test_m19_my_blacklist_shows_the_companys_rules_unchangeable(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    fill(people.rep, "", "divorce", actor=people.rep)
    client = logged_in(people.rep)
    context = client.get(MINE).context
    assert [row.rule.value for row in context["own"].rows] == ["divorce"]
    assert [row.rule.value for row in context["company"].rows] == ["nda"]
    response = post(client, MINE, people.rep, remove=str(Rule.objects.get(user=None).uuid), keywords="doctor")
    assert response.status_code == 400
    assert (values(), values(people.rep)) == (["nda"], ["divorce"])
    assert "this form names entries that are not in this blacklist" in response.content.decode()


@pytest.mark.parametrize("name", ["admin", "manager", "other_rep"])
def test_m19_nobody_else_reaches_a_private_rule(people: People, name: str) -> None:
    fill(people.rep, "", "divorce", actor=people.rep)
    foreign = str(Rule.objects.get().uuid)
    user = getattr(people, name)
    client = logged_in(user)
    for fields in ({"remove": foreign}, {"quoted": foreign}, {"was_quoted": foreign}):
        assert post(client, MINE, user, keywords="therapy", **fields).status_code == 400
    paths = [MINE, f"{MINE}?q=divorce", f"{MINE}export/", f"{MINE}try/"]
    if user.is_staff:
        paths += [COMPANY, f"{COMPANY}?q=divorce", f"{COMPANY}export/", f"{COMPANY}try/"]
        assert post(client, COMPANY, None, remove=foreign).status_code == 400
    pages = b"".join(b"".join(client.get(path)) for path in paths)
    assert (b"divorce</span>" in pages, foreign.encode() in pages) == (False, False)
    assert values(people.rep) == ["divorce"]


def test_m19_rules_have_no_page_of_the_admin(people: People) -> None:
    assert [admin.site.is_registered(model) for model in (Rule, RuleSet)] == [False, False]
    assert logged_in(people.admin).get("/manager/blacklist/rule/").status_code == 404


# Warnings


def test_m20_words_of_generic_signatures_need_a_second_look(people: People) -> None:
    client = logged_in(people.manager)
    typed = {"keywords": "confidential\r\nmerger"}
    response = post(client, COMPANY, None, **typed)
    assert response.status_code == 200
    assert [doubt.text for doubt in response.context["told"].doubts] == [CONFIDENTIAL]
    assert (values(), response.context["form"]["keywords"].value()) == ([], typed["keywords"])
    confirmed = response.context["form"]["confirmed"].value()
    assert post(client, COMPANY, None, **typed, confirmed=confirmed).status_code == 302
    assert values() == ["confidential", "merger"]


def test_m20_the_option_is_offered_and_settles_it(people: People) -> None:
    client = logged_in(people.manager)
    typed = {"keywords": "confidential\r\nmerger"}
    confirmed = post(client, COMPANY, None, **typed).context["form"]["confirmed"].value()
    post(client, COMPANY, None, "save_leaving_out", **typed, confirmed=confirmed)
    assert values() == ["~confidential", "merger"]
    assert post(client, MINE, people.manager, keywords="private", ignore_quoted="on").status_code == 302


def test_common_words_need_a_second_look_that_no_option_settles(people: People) -> None:
    client = logged_in(people.manager)
    typed = {"keywords": "The\r\nmerger", "ignore_quoted": "on"}
    response = post(client, COMPANY, None, **typed)
    told = response.context["told"]
    assert [doubt.text for doubt in told.doubts] == [
        "“the” stands in almost every message: nearly all mail would be stopped."
    ]
    assert (told.quotable, values()) == (False, [])
    post(client, COMPANY, None, **typed, confirmed=response.context["form"]["confirmed"].value())
    assert values() == ["~merger", "~The"]


def test_m20_what_was_confirmed_is_no_licence_for_other_words(people: People) -> None:
    client = logged_in(people.rep)
    confirmed = post(client, MINE, people.rep, keywords="confidential").context["form"]["confirmed"].value()
    response = post(client, MINE, people.rep, keywords="confidential, private", confirmed=confirmed)
    assert (response.status_code, len(response.context["told"].doubts), values(people.rep)) == (200, 2, [])


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"senders": "gmail.com"},
            "Anybody can have an address at gmail.com, customers too: none of them will be synced.",
        ),
        ({"senders": "mail.acme.example"}, "“acme.example” already stops all that “mail.acme.example” would."),
        ({"keywords": "nda agreement"}, "“nda” in the Company Blacklist already stops all that “nda agreement” would."),
    ],
)
def test_doubtful_entries_need_a_second_look(people: People, fields: dict[str, str], text: str) -> None:
    fill(None, "", "nda", actor=people.manager)
    fill(people.rep, "acme.example", actor=people.rep)
    client = logged_in(people.rep)
    response = post(client, MINE, people.rep, **fields)
    assert [doubt.text for doubt in response.context["told"].doubts] == [text]
    assert values(people.rep) == ["acme.example"]
    post(client, MINE, people.rep, **fields, confirmed=response.context["form"]["confirmed"].value())
    assert len(values(people.rep)) == 2


def test_what_is_there_is_pointed_out_and_not_doubled(people: People) -> None:
    fill(None, "mail.acme.example", "nda", actor=people.manager)
    response = post(logged_in(people.manager), COMPANY, None, senders="acme.example", keywords="NDA, merger, Merger")
    assert told(response) == [
        "Saved: 2 entries added.",
        "Already there, and not added again: “NDA”.",
        "Entered more than once, and added once: “Merger”.",
        "No longer needed, as a new entry stops the same: “mail.acme.example”.",
    ]
    assert values() == ["acme.example", "mail.acme.example", "merger", "nda"]


def test_an_entry_can_take_the_place_of_the_one_that_is_removed(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    uuid = str(Rule.objects.get().uuid)
    post(logged_in(people.manager), COMPANY, None, remove=uuid, keywords="NDA", ignore_quoted="on")
    assert values() == ["~NDA"]


def test_saving_nothing(people: People) -> None:
    response = post(logged_in(people.rep), MINE, people.rep)
    assert (told(response), version_of(people.rep)) == (["There was nothing to save."], 0)


# What is wrong


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        (
            "senders",
            "acme.example\r\nco.uk",
            "Line 2: “co.uk” is an ending that many organisations share. Enter a whole domain, like example.co.uk.",
        ),
        (
            "senders",
            "two words.example",
            "Line 1: “two words.example” has a space in it. Enter one domain a line, like example.com.",
        ),
        (
            "senders",
            "example.com",
            f"Line 1: {OWN_DOMAIN}",
        ),
        (
            "keywords",
            "x" * 1_000_000,
            "This text has 1,000,000 characters; at most 500,000 fit at once. Save it in parts.",
        ),
        ("keywords", "y" * 400_000, f"Line 1: “{'y' * 59}…” has 400,000 characters; an entry has at most 320."),
        ("keywords", "nda\0", "Null characters are not allowed."),
    ],
)
def test_each_bad_entry_has_its_message_and_nothing_is_saved(
    people: People, field: str, text: str, message: str
) -> None:
    Organisation.objects.update(own_domains=["example.com"])
    good = {"senders": "good.example", "keywords": "good"} | {field: text}
    response = post(logged_in(people.manager), COMPANY, None, **good)
    assert response.context["form"].errors == {field: [message]}
    assert response.context["form"][field].value() == text
    assert (response.status_code, Rule.objects.count()) == (200, 0)


def test_of_many_bad_entries_the_first_are_named(people: People) -> None:
    response = post(logged_in(people.rep), MINE, people.rep, senders="co.uk\r\n" * 1_500)
    errors = response.context["form"].errors["senders"]
    assert (len(errors), errors[-1]) == (21, "And 1,480 more like these.")


def test_stale_form_is_refused_and_says_what_came_between(people: People) -> None:
    fill(None, "", "nda, merger", actor=people.manager)
    uuids = dict(Rule.objects.values_list("match", "uuid"))
    fill(None, "acme.example", actor=people.admin)
    client = logged_in(people.manager)
    fields = {"keywords": "layoff", "remove": str(uuids["nda"]), "quoted": str(uuids["merger"])}
    response = post(client, COMPANY, None, version=1, **fields)
    assert response.status_code == 409
    assert values() == ["acme.example", "merger", "nda"]
    page = response.content.decode()
    assert "Nothing was saved: this blacklist was changed after you opened it." in page
    assert "Ada Admin" in page
    assert "added 1 domain: acme.example" in page
    form, own = response.context["form"], response.context["own"]
    assert (form["keywords"].value(), form["version"].value()) == ("layoff", 2)
    assert {row.rule.match: (row.removed, row.quoted) for row in own.rows} == {
        "acme.example": (False, False),
        "merger": (False, True),
        "nda": (True, False),
    }
    assert post(client, COMPANY, None, version=2, **fields).status_code == 302
    assert values() == ["acme.example", "layoff", "~merger"]


def test_stale_form_forgets_ticks_on_what_has_gone(people: People) -> None:
    fill(None, "", "nda", actor=people.manager)
    gone = str(Rule.objects.get().uuid)
    client = logged_in(people.admin)
    post(client, COMPANY, None, remove=gone)
    response = post(client, COMPANY, None, version=1, remove=gone)
    assert (response.status_code, response.context["own"].carried) == (409, [])


@pytest.mark.parametrize(
    "forged",
    [{"remove": "1"}, {"quoted": "x"}, {"was_quoted": "0,"}, {"remove": str(uuid4())}],
)
def test_forged_ticks_are_refused(people: People, forged: dict[str, str]) -> None:
    response = post(logged_in(people.rep), MINE, people.rep, keywords="nda", **forged)
    assert (response.status_code, values(people.rep)) == (400, [])
    assert response.context["form"]["keywords"].value() == "nda"


@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_forged_version_is_refused(people: People, version: str) -> None:
    response = post(logged_in(people.rep), MINE, people.rep, keywords="nda", version=version)
    assert response.context["form"].errors == {
        "version": ["This form was changed on its way here. Load the page anew."]
    }
    assert values(people.rep) == []


# Long lists


def test_list_is_searched_and_turned_without_losing_what_was_entered(people: People) -> None:
    make_rules(people.rep, [f"word{number:03}" for number in range(250)])
    uuids = dict(Rule.objects.values_list("match", "uuid"))
    ticked = {"remove": str(uuids["word000"]), "quoted": str(uuids["word001"]), "keywords": "co.uk", "senders": "co.uk"}
    client = logged_in(people.rep)
    response = client.post(MINE, {**ticked, "version": 0, "page": "3"})
    own = response.context["own"]
    assert (own.page.number, own.page.paginator.num_pages, len(own.rows)) == (3, 3, 50)
    assert dict(own.carried) == {"remove": ticked["remove"], "quoted": ticked["quoted"]}
    assert response.context["form"]["senders"].value() == "co.uk"
    assert response.context["form"].errors == {}
    found = client.post(MINE, {**ticked, "version": 0, "action": "show", "q": "WORD00"}).context["own"]
    assert [row.rule.match for row in found.rows] == [f"word{number:03}" for number in range(10)]
    assert [(row.removed, row.quoted) for row in found.rows[:3]] == [(True, False), (False, True), (False, False)]
    assert found.carried == []


@pytest.mark.parametrize("query", ["%", "\0", "no such", "x" * 1000])
def test_search_of_anything(people: People, query: str) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    rows = logged_in(people.rep).get(MINE, {"q": query}).context["own"].rows
    assert len(rows) == (query == "\0")


@pytest.mark.parametrize("number", [3, 300])
@pytest.mark.parametrize(("path", "queries"), [(COMPANY, 8), (MINE, 10)])
def test_query_count(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, path: str, queries: int, number: int
) -> None:
    make_rules(None, [f"word{each}" for each in range(number)])
    make_rules(people.manager, [f"own{each}" for each in range(number)])
    client = logged_in(people.manager)
    client.get(path)
    with django_assert_num_queries(queries):
        client.get(path)


@pytest.mark.parametrize("number", [3, 300])
def test_query_count_of_a_save(people: People, django_assert_num_queries: DjangoAssertNumQueries, number: int) -> None:
    make_rules(None, [f"word{each}" for each in range(number)])
    client = logged_in(people.manager)
    ContentType.objects.get_for_model(RuleSet)
    with django_assert_num_queries(14):  # one is the test's own, for the version
        post(client, COMPANY, None, senders="acme.example", keywords="nda")
    assert RuleSet.objects.get(user=None).version == 1
