"""What docs/api.md shows of webhooks works as it stands there."""

import re
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from sync import webhooks
from tests.sync.receivers import SECRET, listening, make_sender

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def example() -> dict[str, Any]:
    """The Python of the section about webhooks, run."""
    section = DOCUMENT.read_text().partition("\n## Webhooks\n")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.mark.django_db
def test_b8_webhook_signature_is_what_the_documents_check(settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    is_from_playbooks = example()["is_from_playbooks"]
    with listening() as receiver:
        webhooks.send_test(make_sender("Dialer", receiver.url))
    (got,) = receiver.got
    assert is_from_playbooks(SECRET, got.headers, got.body)
    assert not is_from_playbooks(SECRET, got.headers, got.body + b" ")
    assert not is_from_playbooks(SECRET, got.headers | {"webhook-id": "another"}, got.body)
    assert not is_from_playbooks(SECRET, got.headers, got.body, time.time() + 301)
