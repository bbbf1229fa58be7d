"""What a browser sees where a link into the CRM leads."""

import pytest
import requests

from sandbox.control import SandboxControl
from tests.sandbox.api import Api


def test_a_browser_sees_a_tasks_fields_and_where_they_lead(sandbox: SandboxControl, api: Api, contact: str) -> None:
    made = api.call(
        "POST", "/sobjects/Task", {"Subject": "<b>Call</b> & talk", "WhoId": contact, "Status": "Completed"}
    )
    record = made.json()["id"]
    for given in (record, record[:15]):
        answer = requests.get(f"{sandbox.url}/{given}", timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
        assert "<title>&lt;b&gt;Call&lt;/b&gt; &amp; talk</title>" in answer.text
        assert "<b>" not in answer.text
        assert f'<th scope="row">WhoId</th><td><a href="/{contact}">{contact}</a>' in answer.text
    assert requests.get(f"{sandbox.url}/{contact}", timeout=10).status_code == 200


@pytest.mark.parametrize("given", ["00TSb0000000zzzzzz", "00TSb0000000zzz", "nothing"])
def test_what_is_not_there_stays_a_404(sandbox: SandboxControl, given: str) -> None:
    answer = requests.get(f"{sandbox.url}/{given}", timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_only_a_browser_gets_the_page(sandbox: SandboxControl, api: Api, contact: str) -> None:
    assert api.session.get(f"{sandbox.url}/{contact}", timeout=10).status_code == 404
    assert requests.post(f"{sandbox.url}/{contact}", timeout=10).status_code == 404
