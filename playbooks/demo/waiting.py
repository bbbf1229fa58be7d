"""Waiting for a condition instead of for a time."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from playbooks.children import Children

_LOOK_EVERY = 0.05


class TooLongError(Exception):
    """What was waited for did not happen in time, or can't any more."""


def wait_until(condition: Callable[[], bool], what: str, seconds: float, children: Children | None = None) -> None:
    """Return once `condition` holds. Raises TooLongError after `seconds`, or when one of `children` has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        if children is not None and (child := children.ended()):
            raise TooLongError(f"{what}: the {child.name} ended by itself; see {child.log}")
        if time.monotonic() > deadline:
            raise TooLongError(f"{what}: not within {seconds:.0f} s")
        time.sleep(_LOOK_EVERY)


def answers(url: str) -> bool:
    """Whether the address gives a page; only http is asked."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - an address of our own children
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
