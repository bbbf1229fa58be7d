from tests.people import people
from tests.teams.switches import synced

__all__ = ["people", "synced"]
