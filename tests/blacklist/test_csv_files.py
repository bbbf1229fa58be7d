import pytest
from django.core.exceptions import ValidationError

from blacklist.csv_files import COLUMNS, KEPT_MESSAGES, MAX_RULES, cells_of, read
from blacklist.models import RuleKind
from teams.csv_text import csv_lines

NOT_UTF_8 = "The file is not UTF-8 (line %s). In Excel, save it as “CSV UTF-8 (comma delimited)”."
NO_CSV = "Line %s can't be read as CSV: a quotation mark may be missing. Correct it, and upload again."
NO_COLUMNS = "The first line must name the columns; kind, value is missing. Columns are: kind, value, ignore_quoted."
HEADER = "kind,value,ignore_quoted\n"


def rules(content: str | bytes) -> list[tuple[str, str, bool]]:
    found = read(content if isinstance(content, bytes) else content.encode())
    assert found.parsed.bad == []
    return [(rule.kind, rule.value, rule.ignore_quoted) for rule in found.parsed.rules]


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "domain,straße.example,\nkeyword,Übernahme,yes\n",
        "\N{ZERO WIDTH NO-BREAK SPACE}" + HEADER + "domain,straße.example,no\r\nkeyword,Übernahme,TRUE",
        "Kind;Value;ignore_quoted\n\ndomain;straße.example;\n;;\nkeyword;Übernahme;1\n",
        "value\tignore quoted\tkind\nstraße.example\t\tdomain\nÜbernahme\tYes\tkeyword\n",
    ],
)
def test_read(content: str) -> None:
    assert rules(content) == [("domain", "straße.example", False), ("keyword", "Übernahme", True)]


def test_read_without_the_option() -> None:
    assert rules("kind,value\nkeyword,nda\n") == [("keyword", "nda", False)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "domain,co.uk,",
            "“co.uk” is an ending that many organisations share. Enter a whole domain, like example.co.uk.",
        ),
        (
            "domain,two words.example,",
            "“two words.example” has a space in it. Enter one domain a line, like example.com.",
        ),
        ("phrase,nda,", "“phrase” is no kind of entry. Enter domain, address or keyword."),
        ("keyword,nda,maybe", "“maybe” in the column ignore_quoted: enter yes or no."),
        ("domain,acme.example,yes", "ignore_quoted is for keywords only: leave it empty here."),
        ("domain,ann@acme.example,", "“ann@acme.example” is not of the kind domain. Change the column kind."),
        ("keyword", "This entry is empty."),
        ("keyword,a\x07b,", "“a\N{REPLACEMENT CHARACTER}b” holds characters that can't be seen. Type it anew."),
    ],
)
def test_read_bad_lines(line: str, message: str) -> None:
    found = read(f"{HEADER}keyword,nda,\n{line}\n".encode())
    assert [(bad.line, bad.message) for bad in found.parsed.bad] == [(3, message)]
    assert found.bad_lines == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NO_COLUMNS),
        (
            b"acme.example\n",
            NO_COLUMNS,
        ),
        (
            HEADER.encode() + "keyword,Übernahme,\n".encode() + "keyword,Vergütung,\n".encode("windows-1252"),
            NOT_UTF_8 % 3,
        ),
        (
            HEADER.encode("utf-16"),
            NOT_UTF_8 % 1,
        ),
        (
            f'{HEADER}keyword,nda,\nkeyword,"left open,\n'.encode(),
            NO_CSV % 3,
        ),
        (
            f"{HEADER}keyword,{'x' * 1_000_000},\n".encode(),
            NO_CSV % 2,
        ),
    ],
)
def test_read_refuses_what_is_no_such_file(content: bytes, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(content)
    assert refused.value.messages == [message]


def test_read_counts_a_hundred_thousand_bad_lines_and_names_the_first() -> None:
    found = read((HEADER + "domain,co.uk,\n" * 100_000).encode())
    assert found.bad_lines == 100_000
    assert [bad.line for bad in found.parsed.bad] == list(range(2, 2 + KEPT_MESSAGES))


def test_read_refuses_too_many_entries() -> None:
    lines = "".join(f"keyword,word{number},\n" for number in range(MAX_RULES + 1))
    with pytest.raises(ValidationError, match="more than 50,000 entries"):
        read((HEADER + lines).encode())


def test_read_leaves_out_what_a_file_repeats() -> None:
    found = read(f"{HEADER}keyword,nda,\nkeyword,NDA,yes\n".encode())
    assert [rule.value for rule in found.parsed.rules] == ["nda"]
    assert [again.rule.line for again in found.parsed.repeated] == [3]


def test_written_is_defused_and_read_again_as_it_was() -> None:
    there = [
        (RuleKind.DOMAIN, "=acme.example", False),
        (RuleKind.KEYWORD, "+49 30 1234", True),
        (RuleKind.KEYWORD, "@home sale", False),
        (RuleKind.KEYWORD, 'said "yes", twice', False),
    ]
    content = b"".join(csv_lines(COLUMNS, (cells_of(*rule) for rule in there)))
    assert content.decode().splitlines() == [
        "\N{ZERO WIDTH NO-BREAK SPACE}kind,value,ignore_quoted",
        "domain,'=acme.example,no",
        "keyword,'+49 30 1234,yes",
        "keyword,'@home sale,no",
        'keyword,"said ""yes"", twice",no',
    ]
    assert rules(content) == there
