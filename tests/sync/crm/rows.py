"""Tasks to write, and what the sandbox counted."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync.crm.base import TaskRow
from sync.errors import CrmError

KEY_FIELD = "Playbooks_Key__c"


def key(number: int) -> str:
    return f"{number:032x}"


def rows(count: int, **fields: Any) -> list[TaskRow]:
    return [TaskRow(key(n), {"Subject": f"Task {n}", "Status": "Completed", **fields}) for n in range(count)]


def calls(sandbox: SandboxControl) -> dict[str, int]:
    """The Data API's calls by their label."""
    return {label: n for label, n in sandbox.stats()["calls"].items() if "oauth2" not in label}


def failure_of(call: Callable[[], object]) -> CrmError:
    with pytest.raises(CrmError) as failure:
        call()
    assert (failure.value.__cause__, failure.value.__context__) == (None, None)
    return failure.value
