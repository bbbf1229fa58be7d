"""What the tests of real workers share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.real_cluster import Installation, installation


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    made = Installation(tmp_path_factory.mktemp("empty"))
    made.manage("migrate", "--verbosity=0")
    made.manage("createcachetable")
    return made.database


@pytest.fixture
def site(tmp_path: Path, empty_database: Path) -> Iterator[Installation]:
    """An installation of its own for one test."""
    with installation(tmp_path, empty_database) as made:
        yield made
