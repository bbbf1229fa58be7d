"""How many rows go into one call after some calls failed as a whole. Pure."""

from collections.abc import Sequence

from sync.enums import FailureMode
from sync.errors import CrmError

# Batches are not made smaller than that on suspicion: it would cost calls for hours.
LEAST_GUESSED = 25


def size_that_works(passed: int, failures: Sequence[tuple[int, CrmError]]) -> int | None:
    """Return the size to remember after calls that failed as a whole (rows and error each), or None.

    `passed` is the largest that went through. Only the CRM's word, a time-out, or several failures of larger calls
    prove that it was the size; one lost answer doesn't. And without the CRM's word small calls prove little.
    """
    if not failures or passed >= min(size for size, _error in failures):
        return None
    if any(error.mode == FailureMode.TOO_BIG for _size, error in failures):
        return passed
    if len(failures) > 1 or failures[0][1].code == "TIMEOUT":
        return max(passed, LEAST_GUESSED)
    return None
