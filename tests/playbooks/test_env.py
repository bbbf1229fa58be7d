"""A wrong or missing variable stops the start with its name and what to do."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from playbooks import env

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = Fernet.generate_key().decode()
PRODUCTION = {
    "ENV_FILE": "",
    "PATH": os.environ["PATH"],
    "ENVIRONMENT": "production",
    "SECRET_KEY": "s" * 50,
    "ENCRYPTION_KEYS": KEY,
    "ALLOWED_HOSTS": "playbooks.example.com",
    "SITE_URL": "https://playbooks.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "EMAIL_URL": "smtp+tls://user:pass@mail.example.com:587",
}


def last_line_of_start(variables: dict[str, str]) -> str:
    """Import the settings in a process of its own; the last line of what it says, empty when it started."""
    done = subprocess.run(
        [sys.executable, "-c", "import playbooks.settings"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stderr.strip().splitlines() or [""])[-1].removeprefix("django.core.exceptions.ImproperlyConfigured: ")


def test_production_starts_with_what_it_requires() -> None:
    assert last_line_of_start(PRODUCTION) == ""


NOT_SET = "{0} is not set. Set {0} in the environment or in .env: {1}"
NEW_KEY = "`python -m playbooks.env_file --print-secrets` prints"
MAIL = "smtp+tls://USER:PASSWORD@HOST:587, where alerts to admins are sent; consolemail:// prints them."
DEBUG_REFUSED = (
    "DEBUG is on in production, where it shows settings to strangers. Remove DEBUG, or set ENVIRONMENT=development."
)
REFUSED: list[tuple[str, str | None, str]] = [
    (
        "SECRET_KEY",
        None,
        NOT_SET.format("SECRET_KEY", "a long random text; `python -m playbooks.env_file --print-secrets` prints one."),
    ),
    ("SECRET_KEY", "short", "SECRET_KEY must have at least 50 characters in production."),
    (
        "ENCRYPTION_KEYS",
        None,
        NOT_SET.format("ENCRYPTION_KEYS", f"one or more comma-separated keys, newest first; {NEW_KEY} one."),
    ),
    (
        "ALLOWED_HOSTS",
        None,
        "ALLOWED_HOSTS is not set. Set it to the host names of this site, comma separated.",
    ),
    (
        "SITE_URL",
        None,
        "SITE_URL is not set. Set it to this site's address, for links in e-mails: https://HOST.",
    ),
    ("EMAIL_URL", None, NOT_SET.format("EMAIL_URL", MAIL)),
    ("DEBUG", "true", DEBUG_REFUSED),
    ("ENVIRONMENT", "staging", "ENVIRONMENT must be one of production, development, not 'staging'."),
]


FOREIGN_TENANT = (
    "SSO_MICROSOFT_TENANT must be your own directory's (tenant) id or domain: admins of another directory could give "
    "their users any of your addresses."
)


@pytest.mark.parametrize("tenant", ["common", "Organizations", "consumers", "a/b", "https://x"])
def test_single_sign_on_refuses_other_directories(monkeypatch: pytest.MonkeyPatch, tenant: str) -> None:
    monkeypatch.setenv("SSO_MICROSOFT_CLIENT_ID", "id")
    monkeypatch.setenv("SSO_MICROSOFT_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SSO_MICROSOFT_TENANT", tenant)
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.single_sign_on()
    assert str(refusal.value) == FOREIGN_TENANT


def test_single_sign_on_is_what_has_a_client_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.single_sign_on() == {}
    monkeypatch.setenv("SSO_GOOGLE_CLIENT_ID", "id")
    with pytest.raises(ImproperlyConfigured, match="SSO_GOOGLE_CLIENT_SECRET is not set"):
        env.single_sign_on()
    monkeypatch.setenv("SSO_GOOGLE_CLIENT_SECRET", "secret")
    assert list(env.single_sign_on()) == ["google"]
    monkeypatch.setenv("SSO_MICROSOFT_CLIENT_ID", "id")
    monkeypatch.setenv("SSO_MICROSOFT_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SSO_MICROSOFT_TENANT", "contoso.onmicrosoft.com")
    [app] = env.single_sign_on()["microsoft"]["APPS"]
    assert app["settings"] == {"tenant": "contoso.onmicrosoft.com"}


@pytest.mark.parametrize(("name", "value", "said"), REFUSED)
def test_production_refuses_to_start(name: str, value: str | None, said: str) -> None:
    variables = {**PRODUCTION, name: value or ""}
    if value is None:
        del variables[name]
    assert last_line_of_start(variables) == said


def test_every_reader_names_the_variable_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    database = "X must be sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME. Other databases are not tested."
    key = f"is not a Fernet key (32 url-safe base64 bytes). {NEW_KEY} a good one."
    email = f"X is not an address for sending e-mail. Set X to {MAIL}"
    cases: list[tuple[Callable[[], Any], str, str]] = [
        (lambda: env.integer("X", 5), "many", "X must be a whole number, not 'many'."),
        (lambda: env.integer("X", 5), "0", "X must be at least 1, not 0."),
        (lambda: env.boolean("X", True), "maybe", "X must be true or false, not 'maybe'."),
        (lambda: env.choice("X", "a", ("a", "b")), "c", "X must be one of a, b, not 'c'."),
        (lambda: env.encryption_keys("X"), "nonsense", f"X: key 1 {key}"),
        (lambda: env.encryption_keys("X"), f"{KEY},short", f"X: key 2 {key}"),
        (lambda: env.database("X", ""), "mysql://user@host/name", database),
        (lambda: env.database("X", ""), "nonsense", database),
        (lambda: env.database("X", ""), "sqlite:///", database),
        (lambda: env.database("X", ""), "postgres://user@host", database),
        (lambda: env.database("X", ""), "postgres://user@host:port/name", database),
        (
            lambda: env.address("X", "http://a"),
            "playbooks.example.com",
            "X must be an address like https://HOST.",
        ),
        (lambda: env.address("X", "http://a"), "http://", "X must be an address like https://HOST."),
        (lambda: env.address("X", "http://a"), "http://host:port", "X must be an address like https://HOST."),
        (
            lambda: env.address("X", "", ("rediss", "redis")),
            "http://secret@host",
            "X must be an address like redis://HOST:PORT.",
        ),
        (
            lambda: env.addresses("X"),
            "https://a.example.com,b.example.com",
            "X must be origins like https://HOST, comma separated, not 'b.example.com'.",
        ),
        (
            lambda: env.api_version("X", "62.0", 60),
            "59.0",
            "X must be a version like 62.0, 60.0 or newer, not '59.0'.",
        ),
        (
            lambda: env.api_version("X", "62.0", 60),
            "v62",
            "X must be a version like 62.0, 60.0 or newer, not 'v62'.",
        ),
        (lambda: env.email("X", "consolemail://"), "mail.example.com", email),
        (lambda: env.email("X", "consolemail://"), "smtp+tls://", email),
        (lambda: env.email("X", "consolemail://"), "smtp+tls://user:pass@mail.example.com", email),
        (lambda: env.email("X", "consolemail://"), "smtp://host:port", email),
    ]
    for read, value, said in cases:
        monkeypatch.setenv("X", value)
        with pytest.raises(ImproperlyConfigured) as caught:
            read()
        assert str(caught.value) == said


@pytest.mark.parametrize(
    ("raw", "read"), [("TRUE", True), ("1", True), ("on", True), ("yes", True), ("off", False), ("0", False)]
)
def test_boolean_reads_the_usual_spellings(raw: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", raw)
    assert env.boolean("X", not read) == read


def test_good_values_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "SITE": "https://playbooks.example.com/",
        "ORIGINS": "https://a.example.com, http://b.example.com:8080",
        "VERSION": "61.0",
        "KEYS": f"{KEY}, {KEY}",
        "HOSTS": "a.example.com, b.example.com,",
        "DOLLAR": "$VERSION",
        "SQLITE": f"sqlite:///{tmp_path}/new/file.sqlite3",
        "POSTGRES": "postgres://user:p%40ss@host:5433/name",
        "MAIL": "smtp+tls://user%40example.com:p%3Ass@mail.example.com:587",
    }.items():
        monkeypatch.setenv(name, value)
    assert env.address("SITE", "http://a") == "https://playbooks.example.com"
    assert env.address("NOT_SET", "") == ""
    assert env.addresses("ORIGINS") == ["https://a.example.com", "http://b.example.com:8080"]
    assert env.addresses("NOT_SET") == []
    assert env.api_version("VERSION", "62.0", 60) == "61.0"
    assert env.encryption_keys("KEYS") == [KEY, KEY]
    assert env.texts("HOSTS") == ["a.example.com", "b.example.com"]
    assert env.text("DOLLAR") == "$VERSION"
    assert env.database("NOT_SET", "sqlite:///var/x.sqlite3")["NAME"] == f"{ROOT}/var/x.sqlite3"
    assert env.database("SQLITE", "")["NAME"] == f"{tmp_path}/new/file.sqlite3"
    assert (tmp_path / "new").is_dir()
    postgres = env.database("POSTGRES", "")
    assert [postgres[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "user",
        "p@ss",
        "host",
        5433,
        "name",
    ]
    mail = env.email("MAIL", "")
    assert [mail[f"EMAIL_{part}"] for part in ("HOST_USER", "HOST_PASSWORD", "HOST", "PORT", "USE_TLS")] == [
        "user@example.com",
        "p:ss",
        "mail.example.com",
        587,
        True,
    ]


def test_a_file_that_is_named_must_be_readable(tmp_path: Path) -> None:
    said = (
        "{0} can't be read ({1}). Make it readable for this process, or let ENV_FILE name another file; an empty "
        "ENV_FILE means none."
    )
    missing = tmp_path / "missing.env"
    assert last_line_of_start({**PRODUCTION, "ENV_FILE": str(missing)}) == said.format(missing, "FileNotFoundError")
    assert last_line_of_start({**PRODUCTION, "ENV_FILE": str(tmp_path)}) == said.format(tmp_path, "IsADirectoryError")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in PRODUCTION.items() if name != "ENV_FILE"))
    assert last_line_of_start({"ENV_FILE": str(file), "PATH": os.environ["PATH"]}) == ""
    assert (
        last_line_of_start({"ENV_FILE": str(file), "PATH": os.environ["PATH"], "ENVIRONMENT": "staging"})
        == "ENVIRONMENT must be one of production, development, not 'staging'."
    )


READERS = {"os.environ.get"} | {name for name, value in vars(env).items() if callable(value)}


def variables_read() -> set[str]:
    """Every variable that env.py and settings.py read: a literal name given to one of the readers."""
    names = set()
    for module in ("env", "settings"):
        for node in ast.walk(ast.parse((ROOT / "playbooks" / f"{module}.py").read_text())):
            match node:
                case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                    if ast.unparse(function) in READERS and re.fullmatch(r"[A-Z][A-Z_0-9]+", name):
                        names.add(name)
    return names


def test_env_example_documents_every_variable_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    documented = re.findall(r"^(?:# )?([A-Z][A-Z_0-9]+)=", example, re.MULTILINE)
    assert sorted(documented) == sorted(variables_read())


def test_a_command_says_a_wrong_setting_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "health"],
        cwd=ROOT,
        env={**PRODUCTION, "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "Error: SECRET_KEY must have at least 50 characters in production.\n")


def test_a_path_that_may_be_a_typing_error_is_not_made(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/nope/dir/x.sqlite3"
    assert last_line_of_start({**PRODUCTION, "DATABASE_URL": address}) == (
        f"DATABASE_URL: the folder {tmp_path}/nope/dir can't be made. Make it, or mend the path."
    )
    assert list(tmp_path.iterdir()) == []
