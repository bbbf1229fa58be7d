"""sync/record_search.py"""

from sync.record_search import search_records
from tests.factories import RecordFactory


def test_finds_by_id_address_number_and_name(db: None) -> None:
    record = RecordFactory.create(
        name="Ana Ruiz", crm_id="003Zz0000000001", emails=["ana@acme.example"], phones=["+1 415 555 0132"]
    )
    record.refresh_from_db()
    for text in (
        *(
            record.crm_id,
            record.crm_id[:15],
            "ANA@acme.example",
            "ana@ac",
            "(415) 555-0132",
            "0132",
            "ruiz",
            "RUIZ ana",
        ),
    ):
        assert search_records(text) == [record], text
