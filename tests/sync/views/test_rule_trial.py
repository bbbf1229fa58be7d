"""The page to try a rule (B4)."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from blacklist.models import Rule
from sync.views import mail_upload
from tests.blacklist.views.pages import COMPANY, MINE, fill, values
from tests.people import People, logged_in, people

__all__ = ["people"]

MAIL = (
    b"From: Ann Lee <ann@acme.example>\r\nTo: rosa@example.com\r\nDate: Mon, 3 Mar 2025 12:00:00 +0000\r\n"
    b"Subject: About the merger\r\nMessage-ID: <1@acme.example>\r\n\r\nThe unspeakable body.\r\n"
)


def run(client: Client, path: str, content: bytes | None = MAIL, **fields: Any) -> Any:
    data = {"action": "run", **fields}
    if content is not None:
        data["mail"] = SimpleUploadedFile("one.eml", content)
    return client.post(f"{path}try/", data)


def test_b4_managers_try_company_rules(people: People) -> None:
    response = run(logged_in(people.manager), COMPANY, keywords="merger\r\nlayoff")
    trial = response.context["trial"]
    assert (trial.passed, trial.stopped, values()) == (1, 1, [])
    page = response.content.decode()
    assert "Would have stopped 1 of the 1 message that passes today" in page
    assert "About the merger" in page
    assert "unspeakable" not in page


def test_b4_everyone_tries_rules_of_their_own(people: People) -> None:
    fill(None, "acme.example", actor=people.manager)
    trial = run(logged_in(people.rep), MINE, keywords="merger").context["trial"]
    assert (trial.looked_at, trial.passed, trial.stopped) == (1, 0, 0)


def test_b4_rules_about_to_be_removed_no_longer_count(people: People) -> None:
    fill(None, "acme.example", actor=people.manager)
    uuid = str(Rule.objects.get().uuid)
    trial = run(logged_in(people.manager), COMPANY, keywords="merger", remove=uuid).context["trial"]
    assert (trial.passed, trial.stopped) == (1, 1)


def test_m20_trial_warns_of_signature_words(people: People) -> None:
    review = run(logged_in(people.rep), MINE, keywords="confidential").context["review"]
    assert [doubt.quotable for doubt in review.doubts] == [True]


def test_trial_keeps_what_was_entered_and_ticked(people: People) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    uuid = str(Rule.objects.get().uuid)
    client = logged_in(people.rep)
    entered = {"keywords": "merger", "senders": "b.example", "ignore_quoted": "on", "remove": uuid, "version": "1"}
    response = client.post(f"{MINE}try/", {**entered, "action": "try"})
    form = response.context["form"]
    assert (form["keywords"].value(), form["senders"].value(), form["ignore_quoted"].value()) == (
        "merger",
        "b.example",
        True,
    )
    assert response.context["carried"] == [("remove", uuid)]
    assert (response.context["trial"], response.context["error"]) == (None, "")
    assert client.post(MINE, {**entered, "action": "save"}).status_code == 302
    assert values(people.rep) == ["b.example", "~merger"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Choose an .eml or mbox file."),
        (b"", "This file is empty. Choose an .eml or mbox file."),
        (b"PK\x03\x04", "This is an archive. Unpack it, or export as mbox, and choose the .eml or mbox file."),
        (
            b"some text\n",
            "This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file.",
        ),
    ],
)
def test_trial_of_what_is_no_mail(people: People, content: bytes | None, message: str) -> None:
    response = run(logged_in(people.rep), MINE, content, keywords="merger")
    assert (response.context["error"], response.context["trial"]) == (message, None)


def test_trial_of_bad_entries_reads_no_mail(people: People) -> None:
    response = run(logged_in(people.rep), MINE, senders="co.uk")
    assert list(response.context["form"].errors) == ["senders"]
    assert response.context["trial"] is None


def test_trial_of_nothing_new(people: People) -> None:
    fill(people.rep, "", "nda", actor=people.rep)
    response = run(logged_in(people.rep), MINE, keywords="NDA")
    assert response.context["form"].errors == {
        "senders": ["Enter at least one domain, address or keyword that doesn't stand there already."]
    }
    assert response.context["trial"] is None


def test_trial_of_too_much(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_upload.NamelessUploadHandler, "most", 100_000)
    response = run(logged_in(people.rep), MINE, MAIL + b"x" * 200_000, keywords="merger")
    assert response.context["error"] == "The file has more than 50 MB. Choose a smaller one."
    assert response.context["form"]["keywords"].value() == "merger"


def test_of_several_files_the_first_is_kept_alone(people: People) -> None:
    files = [SimpleUploadedFile("mail.eml", MAIL), SimpleUploadedFile("more.eml", b"x" * 100)]
    data = {"action": "run", "keywords": "merger", "mail": files[0], "other": files[1]}
    response = logged_in(people.rep).post(f"{MINE}try/", data)
    assert response.context["trial"].looked_at == 1
    assert list(response.wsgi_request.FILES) == ["mail"]


def test_nothing_of_the_mail_remains(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[list[Path]] = []
    written = mail_upload.NamelessUploadHandler.receive_data_chunk

    def receive(self: mail_upload.NamelessUploadHandler, raw_data: bytes, start: int) -> None:
        written(self, raw_data, start)
        seen.append(list(tmp_path.iterdir()))

    monkeypatch.setattr(mail_upload.NamelessUploadHandler, "receive_data_chunk", receive)
    with caplog.at_level(logging.DEBUG):
        response = run(logged_in(people.rep), MINE, MAIL + b"x" * 3_000_000, keywords="merger")
    assert response.context["trial"].stopped == 1
    assert {len(files) for files in seen} == {0}
    assert list(tmp_path.iterdir()) == []
    assert "merger" not in caplog.text
    assert "merger" not in str(list(LogEntry.objects.values()))


def test_forged_trials_are_refused(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.manager)
    assert [run(client, path, keywords="merger").status_code for path in (COMPANY, MINE)] == [403, 403]
    token = client.get(f"{MINE}try/").context["csrf_token"]
    assert run(client, MINE, keywords="merger", csrfmiddlewaretoken=str(token)).status_code == 200


def test_reps_cannot_try_company_rules(people: People) -> None:
    assert run(logged_in(people.rep), COMPANY, keywords="merger").status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(people: People, method: str) -> None:
    assert getattr(logged_in(people.manager), method)(f"{COMPANY}try/").status_code == 405
