"""`crm_fields` and `crm_package` on the server."""

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sandbox.control import SandboxControl
from sync.crm.package import package_zip
from sync.models import Connection


def run() -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("crm_fields", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_m7_all_is_there(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.install_package(package_zip())
    status, text = run()
    assert (status, text.count("! ")) == (0, 0)
    assert text.count("· Key → Playbooks_Key__c: Present, Text (64), from package 1\n") == 1


@pytest.mark.django_db(transaction=True)
def test_m7_something_is_missing(connection: Connection, sandbox: SandboxControl) -> None:
    fields = [{"object": "Task", "name": "Play_Step__c", "removed": True}]
    sandbox.change_schema(view_setup=True, fields=fields)
    status, text = run()
    assert status == 1
    lines = "! Play Step → Play_Step__c: Missing\n  Install the package below. Until then it is left out."
    assert text.count(lines) == 1


@pytest.mark.django_db(transaction=True)
def test_m7_a_field_that_is_not_from_the_package_is_told(connection: Connection, sandbox: SandboxControl) -> None:
    _status, text = run()
    assert text.count("(64), not from the package, or its help text was changed\n") == 1


@pytest.mark.django_db(transaction=True)
def test_it_says_why_it_can_t_ask(db: None, sandbox: SandboxControl) -> None:
    with pytest.raises(CommandError, match="No CRM is connected yet") as refused:
        run()
    assert refused.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_it_says_what_the_crm_says(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("api_disabled")
    with pytest.raises(CommandError, match="API_DISABLED_FOR_ORG") as refused:
        run()
    assert refused.value.returncode == 2


def test_m7_the_package_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "fields.zip"
    call_command("crm_package", "--output", str(file))
    assert file.read_bytes() == package_zip()
    assert capsys.readouterr().out.count(f"--metadata-dir {file}") == 1


def test_m7_the_package_goes_to_a_pipe(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    call_command("crm_package")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == package_zip()


def test_a_terminal_gets_no_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(CommandError, match=r"--output playbooks-crm-sync-fields-1\.zip"):
        call_command("crm_package")


def test_a_folder_that_isn_t_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("crm_package", "--output", str(tmp_path / "no" / "fields.zip"))
