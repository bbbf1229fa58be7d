"""The log-in in the browser: who logs in, whether the app may come in as them, and the way back to the app."""

import secrets
import time
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from sandbox.codes import Code
from sandbox.errors import ApiError, OAuthError
from sandbox.faults import CONSENT_KINDS, Target
from sandbox.rest.call import Page, Response

if TYPE_CHECKING:
    from sandbox.messages import Request
    from sandbox.oauth import Client, OAuth
    from sandbox.org import Org

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")


def serve(org: "Org", request: "Request", target: Target) -> Response:
    """`/services/oauth2/authorize`: the page, and where it leads; OAuthError and ApiError when refused."""
    form = request.form()
    try:
        client = _app(org.oauth, form)
    except OAuthError as error:
        # Nobody may be sent to an address that the app has not registered.
        return Response(error.status, Page(_refusal(error)))
    callback = form["redirect_uri"]
    if problem := _problem(client, form):
        return _back(callback, form, error=problem.error, error_description=problem.description)
    if request.method == "GET":
        return Response(200, Page(_consent(org, client, form)))
    if request.method != "POST":
        raise ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed. Allowed are GET,POST")
    return _decided(org, client, form, target)


def _app(oauth: "OAuth", form: Mapping[str, str]) -> "Client":
    client = oauth.clients.get(form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    callback = form.get("redirect_uri", "")
    known = client.callback_urls
    # An app without a list takes this machine's addresses, whatever their port.
    if not (known is None and _is_local(callback)) and callback not in (known or ()):
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    return client


def _is_local(callback: str) -> bool:
    try:
        parts = urlsplit(callback)
    except ValueError:
        return False
    # (urlsplit leaves line breaks out, which would begin another header.)
    return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK and callback.isprintable()


def _problem(client: "Client", form: Mapping[str, str]) -> OAuthError | None:
    """What the app asks for wrongly; the browser is sent back with it."""
    if form.get("response_type") != "code":
        return OAuthError("unsupported_response_type", "response type not supported")
    if not form.get("code_challenge") or form.get("code_challenge_method") != "S256":
        return OAuthError("invalid_request", "missing required code challenge")
    if not set(form.get("scope", "").split()) <= set(client.scopes):
        return OAuthError("invalid_scope", "the requested scope is not allowed")
    return None


def _decided(org: "Org", client: "Client", form: Mapping[str, str], target: Target) -> Response:
    callback = form["redirect_uri"]
    for fault in org.faults.draw(CONSENT_KINDS, target):
        error = fault.params.get("error", "OAUTH_APP_BLOCKED")
        description = fault.params.get("description", "this app is blocked by admin")
        return _back(callback, form, error=error, error_description=description)
    user = org.store.row("User", form.get("user_id", ""))
    if form.get("decision") != "allow" or user is None or not user.get("IsActive"):
        return _back(callback, form, error="access_denied", error_description="end-user denied authorization")
    # As Salesforce's, it ends in characters that an address has to quote.
    name = f"aPrx{secrets.token_urlsafe(40)}=="
    oauth = org.oauth
    scope = form.get("scope") or " ".join(client.scopes)
    expires_at = time.time() + oauth.code_seconds
    oauth.codes[name] = Code(client.id, str(user["Id"]), callback, form["code_challenge"], scope, expires_at)
    return _back(callback, form, code=name)


def _back(callback: str, form: Mapping[str, str], **values: str) -> Response:
    """Send the browser back to the app, with the state that it gave."""
    if "state" in form:
        values["state"] = form["state"]
    joint = "&" if urlsplit(callback).query else "?"
    return Response(302, None, {"Location": f"{callback}{joint}{urlencode(values)}", "Cache-Control": "no-store"})


_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 32rem; padding: 1.5rem; }}
main {{ overflow-wrap: anywhere; }}
fieldset {{ margin: 1rem 0; padding: .5rem 1rem; }}
label {{ display: block; padding: .35rem 0; }}
button {{ font: inherit; margin-right: .5rem; padding: .5rem 1.25rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def _refusal(error: OAuthError) -> str:
    words = f"error={escape(error.error)}&amp;error_description={escape(error.description)}"
    return _FRAME.format(title="Sandbox Salesforce: OAuth error", body=f"<p>{words}</p>")


def _consent(org: "Org", client: "Client", form: Mapping[str, str]) -> str:
    """A form that works without a script: who logs in, and whether the app may come in as them."""
    organization = org.store.row("Organization", org.id)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(form[name])}">\n' for name in _ASKED if name in form
    )
    people = "".join(
        f'<label><input type="radio" name="user_id" value="{escape(str(user["Id"]))}"'
        f"{' checked' if user['Id'] == client.user_id else ''}> "
        f"{escape(str(user.get('Name')))} ({escape(str(user['Username']))})</label>\n"
        for user in org.store.tables["User"].rows.values()
        if user.get("IsActive")
    )
    body = (
        f"<p>The app <strong>{escape(client.id)}</strong> asks for access to "
        f"{escape(str((organization or {}).get('Name')))} ({escape(org.id)}) "
        f"with the scopes: {escape(form.get('scope', '') or ' '.join(client.scopes))}.</p>\n"
        '<form method="post" action="/services/oauth2/authorize">\n'
        f"{hidden}<fieldset>\n<legend>Log in as</legend>\n{people}</fieldset>\n"
        '<button type="submit" name="decision" value="allow">Allow</button>\n'
        '<button type="submit" name="decision" value="deny">Deny</button>\n</form>'
    )
    return _FRAME.format(title="Sandbox Salesforce: Allow access?", body=body)
