"""The endpoints outside `/services/data/v…`: tokens, who is logged in, and the list of versions."""

import base64
import binascii
import re
from urllib.parse import unquote

from sandbox import authorize, record_page
from sandbox.errors import OAuthError, not_found
from sandbox.faults import TOKEN_KINDS, Target
from sandbox.messages import Request
from sandbox.org import Org
from sandbox.rest import describe, identity
from sandbox.rest.call import Response

_TOKEN_ERRORS = {
    "invalid_grant": "expired access/refresh token",
    "inactive_user": "user is inactive",
    "invalid_client": "invalid client credentials",
}


def serve(org: Org, request: Request, target: Target) -> Response:
    """OAuthError or ApiError when refused."""
    if request.kind == "token":
        return _token(org, request, target)
    if request.path.rstrip("/") == "/services/data":
        return describe.versions()
    if request.path == "/services/oauth2/authorize":
        return authorize.serve(org, request, target)
    if request.path == "/services/oauth2/revoke":
        return _revoke(org, request)
    if _is_for_a_browser(request):
        return record_page.serve(org, request.path[1:])
    return _who(org, request)


def _who(org: Org, request: Request) -> Response:
    """Who is logged in."""
    match = re.fullmatch(r"/id/(\w+)/(\w+)", request.path)
    if match is None and request.path != "/services/oauth2/userinfo":
        raise not_found()
    session = org.oauth.session(request.headers.get("authorization"))
    if session is None:
        raise OAuthError("invalid_token", "Bad_OAuth_Token", 403)
    if match is None:
        return identity.userinfo(org, session, request.base_url)
    return identity.identity(org, session, match[1], match[2], request.base_url)


def _is_for_a_browser(request: Request) -> bool:
    """Whether a person follows a link to a record."""
    is_link = re.fullmatch(r"/(?:[0-9A-Za-z]{15}|[0-9A-Za-z]{18})", request.path) is not None
    return is_link and request.method == "GET" and "authorization" not in request.headers


def _token(org: Org, request: Request, target: Target) -> Response:
    if request.method != "POST":
        raise OAuthError("invalid_request", "must use HTTP POST")
    for fault in org.faults.draw(TOKEN_KINDS, target):
        raise OAuthError(fault.kind, fault.params.get("description", _TOKEN_ERRORS[fault.kind]))
    answer = org.oauth.token(request.form(), _basic(request), request.base_url)
    return Response(200, answer, {"Cache-Control": "no-cache, no-store"})


def _revoke(org: Org, request: Request) -> Response:
    if not org.oauth.revoke(request.form().get("token", "")):
        raise OAuthError("invalid_token", "token is invalid or already revoked")
    return Response(200)


def _basic(request: Request) -> tuple[str, str] | None:
    """Client id and secret from an `Authorization: Basic` header."""
    scheme, _, encoded = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(name), unquote(secret)
