"""The log-in in the browser, as a browser and an app see it."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.codes import challenge_of
from sandbox.control import SandboxControl
from tests.sandbox.api import ask_token
from tests.sandbox.consent_page import Form

CALLBACK = "http://127.0.0.1:8000/callback"
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code",
    "client_id": "sandbox-client",
    "redirect_uri": CALLBACK,
    "scope": "api refresh_token",
    "state": "a state & more",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def ask(sandbox: SandboxControl, **changes: str | None) -> requests.Response:
    asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    url = f"{sandbox.url}/services/oauth2/authorize"
    return requests.get(url, params=asked, timeout=10, allow_redirects=False)


def decide(sandbox: SandboxControl, decision: str = "allow", **values: str) -> dict[str, str]:
    """What the browser is sent back with."""
    form = Form(ask(sandbox).text).values | {"decision": decision} | values
    url = f"{sandbox.url}/services/oauth2/authorize"
    answer = requests.post(url, data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302
    return sent_back(answer)


def sent_back(answer: requests.Response) -> dict[str, str]:
    where = answer.headers["Location"]
    assert where.startswith(f"{CALLBACK}?")
    return {name: value for name, (value,) in parse_qs(urlsplit(where).query).items()}


def exchange(sandbox: SandboxControl, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "redirect_uri": CALLBACK,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return ask_token(sandbox.url, **{**form, **changes})


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


def test_the_page_offers_who_is_active_and_the_app_s_user_first(sandbox: SandboxControl) -> None:
    answer = ask(sandbox)
    form = Form(answer.text)
    active = [user["Id"] for user in sandbox.rows("User") if user["IsActive"]]
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
    assert form.users == active
    assert form.values == {**ASKED, "user_id": active[0]}


def test_allow_gives_a_code_for_tokens_of_whom_was_chosen(sandbox: SandboxControl) -> None:
    user = [user for user in sandbox.rows("User") if user["IsActive"]][1]
    back = decide(sandbox, user_id=user["Id"])
    assert (set(back), back["state"]) == ({"code", "state"}, "a state & more")
    token = exchange(sandbox, back["code"]).json()
    assert set(token) == {
        "access_token",
        "refresh_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    }
    assert token["id"].endswith(user["Id"])


def test_without_the_scope_there_is_no_refresh_token(sandbox: SandboxControl) -> None:
    back = decide(sandbox, scope="api")
    assert "refresh_token" not in exchange(sandbox, back["code"]).json()


def test_deny(sandbox: SandboxControl) -> None:
    assert decide(sandbox, "deny") == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "a state & more",
    }


def test_an_app_that_is_blocked(sandbox: SandboxControl) -> None:
    sandbox.add_fault("consent_refused")
    back = decide(sandbox)
    assert (back["error"], back["error_description"]) == ("OAUTH_APP_BLOCKED", "this app is blocked by admin")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "full"}, "invalid_scope"),
    ],
)
def test_what_is_asked_for_wrongly_leads_back(
    sandbox: SandboxControl, changes: dict[str, str | None], error: str
) -> None:
    assert sent_back(ask(sandbox, **changes))["error"] == error


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "stranger"}, "error=invalid_client_id&amp;error_description=client identifier invalid"),
        (
            {"redirect_uri": "https://evil.example/callback"},
            "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match configuration",
        ),
        (
            {"redirect_uri": "javascript://127.0.0.1/"},
            "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match configuration",
        ),
        (
            {"redirect_uri": "http://["},
            "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match configuration",
        ),
        (
            {"redirect_uri": "http://127.0.0.1/\r\nSet-Cookie: a=b"},
            "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match configuration",
        ),
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    sandbox: SandboxControl, changes: dict[str, str | None], error: str
) -> None:
    answer = ask(sandbox, **changes)
    assert (answer.status_code, answer.text.count(error)) == (400, 1)


def test_registered_addresses_are_compared_as_a_whole(sandbox: SandboxControl) -> None:
    sandbox.register_client("sandbox-client", callback_urls=["https://crm.example/back"])
    asked = [ask(sandbox, redirect_uri=url) for url in ("https://crm.example/back", "https://crm.example/back/")]
    assert [answer.status_code for answer in asked] == [200, 400]
    assert ask(sandbox).status_code == 400


def test_what_is_asked_is_escaped(sandbox: SandboxControl) -> None:
    html = ask(sandbox, state='"><script>').text
    assert (html.count("<script"), Form(html).values["state"]) == (0, '"><script>')


def test_a_code_works_once(sandbox: SandboxControl) -> None:
    code = decide(sandbox)["code"]
    assert [exchange(sandbox, code).status_code for _ in range(2)] == [200, 400]
    assert refusal(exchange(sandbox, code)) == (400, "invalid_grant", "expired authorization code")


def test_a_code_ends(sandbox: SandboxControl) -> None:
    sandbox.change_schema(code_seconds=0)
    assert refusal(exchange(sandbox, decide(sandbox)["code"])) == (400, "invalid_grant", "expired authorization code")


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"code": "aPrxForged"}, "invalid_grant", "invalid authorization code"),
        ({"client_id": "other"}, "invalid_grant", "invalid authorization code"),
        ({"client_secret": "wrong"}, "invalid_client", "invalid client credentials"),
        ({"redirect_uri": f"{CALLBACK}/"}, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        ({"code_verifier": "w" * 43}, "invalid_grant", "invalid code verifier"),
        ({"code_verifier": ""}, "invalid_grant", "invalid code verifier"),
    ],
)
def test_a_code_is_bound_to_what_it_was_asked_for(
    sandbox: SandboxControl, changes: dict[str, str], error: str, description: str
) -> None:
    sandbox.register_client("other", client_secret="sandbox-secret")
    code = decide(sandbox)["code"]
    assert refusal(exchange(sandbox, **{"code": code, **changes})) == (400, error, description)


def test_codes_and_verifiers_are_not_read_back(sandbox: SandboxControl) -> None:
    exchange(sandbox, decide(sandbox)["code"])
    body = sandbox.requests()[-1]["body"]
    assert (body["code"], body["code_verifier"], body["client_secret"]) == ("***", "***", "***")


def test_the_refresh_token_of_a_log_in_is_revoked(sandbox: SandboxControl) -> None:
    token = exchange(sandbox, decide(sandbox)["code"]).json()["refresh_token"]
    revoke = f"{sandbox.url}/services/oauth2/revoke"
    assert requests.post(revoke, data={"token": token}, timeout=10).status_code == 200
    again = ask_token(
        sandbox.url,
        grant_type="refresh_token",
        refresh_token=token,
        client_id="sandbox-client",
        client_secret="sandbox-secret",
    )
    assert refusal(again) == (400, "invalid_grant", "expired access/refresh token")
