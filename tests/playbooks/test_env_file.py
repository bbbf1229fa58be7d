"""The .env that is written for whoever has none."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from playbooks.env import BASE_DIR
from playbooks.env_file import ensure_development_file, new_secrets, write_env_file


def read(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_file_is_readable_by_its_owner_alone_and_holds_new_secrets(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / ".env", tmp_path / "b" / ".env"
    assert [ensure_development_file(first), ensure_development_file(second)] == [True, True]
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert list(read(first)) == ["ENVIRONMENT", "SECRET_KEY", "ENCRYPTION_KEYS"]
    assert read(first)["ENVIRONMENT"] == "development"
    assert read(first)["SECRET_KEY"] != read(second)["SECRET_KEY"]
    assert read(first)["ENCRYPTION_KEYS"] != read(second)["ENCRYPTION_KEYS"]


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n")
    assert ensure_development_file(path) is False
    assert path.read_text() == "SECRET_KEY=mine\n"


def test_secrets_need_no_quoting_and_are_long_enough_for_production() -> None:
    secret_key, encryption_keys = new_secrets().values()
    assert len(secret_key) >= 50
    assert not set(secret_key + encryption_keys) & set("#$'\"\\ `!&;")


def test_values_and_comment_are_written_line_by_line(tmp_path: Path) -> None:
    write_env_file(tmp_path / ".env", {"A": "1", "B": "two"}, "First.\nSecond.")
    assert (tmp_path / ".env").read_text() == "# First.\n# Second.\nA=1\nB=two\n"


def test_the_settings_start_with_the_written_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    variables = {"PATH": os.environ["PATH"], "ENV_FILE": str(path), "DATABASE_URL": "sqlite:///:memory:"}
    for command in (["-m", "playbooks.env_file", str(path)], ["-c", "import playbooks.settings"]):
        subprocess.run([sys.executable, *command], cwd=BASE_DIR, env=variables, check=True, timeout=60)
