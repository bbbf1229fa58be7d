"""sync/record_search.py"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.enums import RecordKind
from sync.models import Record, RecordName
from sync.record_search import crm_id_in, search_records
from tests.factories import ConnectionFactory, RecordFactory, UserFactory, crm_id

pytestmark = pytest.mark.django_db

Queries = Callable[..., Any]


def make(name: str, **values: object) -> Record:
    record: Record = RecordFactory.create(name=name, **values)
    return record


def found(text: str, **values: object) -> list[str]:
    return [record.name for record in search_records(text, **values)]  # type: ignore[arg-type]


@pytest.fixture
def ana() -> Record:
    return make("Ana Ruiz-Ortega", emails=["ana@acme.example"], phones=["+1 415 555 0132", "ext 7781234"])


@pytest.mark.parametrize(
    "text",
    [
        *("ANA@acme.example", "ana@ac", " ana@acme.example "),
        *("+1 415 555 0132", "(415) 555-0132", "4155550132", "+14155550132", "555 0132", "0132", "7781234"),
        *("Ana", "ana r", "ANA RUIZ", "ruiz", "Ortega", "ruiz ortega", "ortega ana", "ORT an rui", "  ana  ", "Ána"),
    ],
)
def test_finds_by_address_number_and_words(ana: Record, text: str) -> None:
    make("Bob Other", emails=["bob@acme.example"], phones=["+1 415 555 9999"])
    assert search_records(text) == [ana]


@pytest.mark.parametrize("text", ["uiz", "na", "acme.example", "132", "Ana Otto", "@acme", "415 555", "!?", "—", ""])
def test_a_word_is_found_by_its_beginning_and_a_number_by_its_end(ana: Record, text: str) -> None:
    assert search_records(text) == []


def test_finds_by_crm_id_of_either_length_with_its_case(ana: Record) -> None:
    short = crm_id("003", 77)[:15]
    record = make("Short", crm_id=short)
    record.refresh_from_db()
    assert search_records(short) == search_records(record.crm_id) == [record]
    assert search_records(short.swapcase()) == []
    address = f"https://acme.my.salesforce.com/lightning/r/Contact/{record.crm_id}/view"
    assert search_records(address) == [record]
    assert crm_id_in(address) == record.crm_id
    assert crm_id_in("https://acme.my.salesforce.com/lightning/page/home") == ""


def test_beginnings_come_before_inner_words_and_the_exact_name_first() -> None:
    for name in ("Smith John", "John Smith", "Smithers Ann", "Smith", "Inc of Smith"):
        make(name)
    assert found("smith") == ["Smith", "Smith John", "Smithers Ann", "John Smith", "Inc of Smith"]
    assert found("smith", limit=2) == ["Smith", "Smith John"]
    assert found("smith john") == ["Smith John", "John Smith"]


def test_an_apostrophe_and_an_accent_are_not_needed() -> None:
    make("Brían O’Brien")
    for text in ("o'brien", "obrien", "O’BRIEN", "brian obrien"):
        assert found(text) == ["Brían O’Brien"], text


def test_only_what_a_task_may_be_linked_to_is_offered() -> None:
    make("Shown Contact")
    make("Shown Case", kind=RecordKind.CASE)
    make("Shown Deleted", is_deleted=True)
    own = ConnectionFactory.create(user=UserFactory.create())
    make("Shown Elsewhere", connection=own, crm_id=crm_id("003", 4711))
    assert found("shown") == ["Shown Contact"]
    assert found("shown", kinds=[RecordKind.CASE]) == []
    assert search_records(crm_id("003", 4711)) == []


def test_kinds_narrow() -> None:
    for kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD, RecordKind.OPPORTUNITY):
        make(f"Acme {kind}", kind=kind)
    assert found("acme", kinds=[RecordKind.LEAD, RecordKind.ACCOUNT]) == ["Acme account", "Acme lead"]
    assert found("acme", kinds=[]) == []
    assert len(found("acme")) == 4


def test_what_is_renamed_is_found_by_its_new_name_alone(ana: Record) -> None:
    ana.name = "Ana Lopez"
    ana.save()
    assert search_records("lopez") == [ana]
    assert search_records("ruiz") == []


def test_names_that_were_written_in_bulk_are_kept_by_hand(ana: Record) -> None:
    Record.objects.filter(pk=ana.pk).update(name="Bulk Name")
    RecordName.keep(Record.objects.filter(pk=ana.pk))
    assert [record.pk for record in search_records("bulk")] == [ana.pk]


def test_long_names_and_many_words(ana: Record) -> None:
    record = make("Word " * 50)
    assert search_records("word " * 60) == [record]
    assert search_records("word" * 2_500) == []


@pytest.mark.parametrize("count", [3, 30])
def test_the_number_of_questions_is_the_same_for_all_sizes(
    django_assert_num_queries: Queries, count: int, ana: Record
) -> None:
    for number in range(count):
        make(f"Carla {number}")
    with django_assert_num_queries(1):
        assert len(search_records("carla", limit=2)) == 2
    with django_assert_num_queries(5):
        search_records("0 carla")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_allowed(ana: Record, text: str) -> None:
    search_records(text)


@pytest.mark.parametrize(
    "text", ["\0", "ana\0", "\ud800", "ana\udfff@x", "%", "_", "\\", "' OR 1=1 --", "ana" * 3_334, "1" * 10_000, "@"]
)
def test_no_text_is_an_error(ana: Record, text: str) -> None:
    assert search_records(text) in ([], [ana])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=40))
def test_every_name_is_found_by_itself(db: None, name: str) -> None:
    stored = name.replace("\0", "").strip()
    record = make(stored)
    if any(row.text for row in record.names.all()):
        assert record in search_records(stored, limit=1_000), stored
