"""Blacklists in the audit: what its page and its file tell of a save."""

import csv
import io
from typing import Any

from auditlog.models import LogEntry

from blacklist.rules import parse_senders
from blacklist.saving import Change, save
from tests.blacklist.views.pages import make_rules
from tests.people import People, logged_in, people

__all__ = ["people"]

AUDIT = "/manager/auditlog/logentry/"


def test_a_hundred_names_of_a_long_change_are_on_the_page_and_in_the_file(people: People) -> None:
    names = [f"d{n:03}.example" for n in range(1_200)]
    LogEntry.objects.all().delete()
    save(None, 0, Change(parse_senders("\n".join(names)).rules), actor=people.manager)
    client = logged_in(people.manager)
    text = f"1,200 domains: {', '.join(names[:100])}, … (the first 100 named)"
    page = client.get(AUDIT).content.decode()
    assert page.count(f"<details><summary>added: 1,200 domains: {names[0]}, ") == 1
    assert page.count(f"</summary>added: {text}</details>") == 1
    response: Any = client.get(f"{AUDIT}export/")
    [_heading, row] = csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert row[-3:] == ["added", "", text]


def test_private_entries_stay_counts_on_the_page_and_in_the_file(people: People) -> None:
    make_rules(people.rep, [f"doctor{n}" for n in range(1_200)])
    save(people.rep, 0, Change(parse_senders("lawyer.example").rules, replace=True), actor=people.rep)
    client = logged_in(people.admin)
    page = client.get(AUDIT).content.decode()
    exported: Any = client.get(f"{AUDIT}export/")
    file = b"".join(exported.streaming_content).decode()
    assert ("removed: 1,200" in page, ',removed,,"1,200"' in file) == (True, True)
    assert [word for word in ("doctor", "lawyer") if word in page + file] == []
