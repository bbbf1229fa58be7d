"""A logged-in client for every test of the sandbox."""

import pytest

from sandbox.control import SandboxControl
from tests.sandbox.api import Api


@pytest.fixture
def api(sandbox: SandboxControl) -> Api:
    return Api(sandbox.url)


@pytest.fixture
def contact(sandbox: SandboxControl) -> str:
    """A contact with an account."""
    return str(sandbox.rows("Contact")[0]["Id"])


@pytest.fixture
def lead(sandbox: SandboxControl) -> str:
    return str(sandbox.rows("Lead")[0]["Id"])


@pytest.fixture
def opportunity(sandbox: SandboxControl) -> str:
    return str(sandbox.rows("Opportunity")[0]["Id"])
