"""Who is logged in: userinfo and the identity URL."""

from sandbox.errors import OAuthError
from sandbox.oauth import Session
from sandbox.org import Org
from sandbox.rest.call import Response


def userinfo(org: Org, session: Session, base_url: str) -> Response:
    """`GET /services/oauth2/userinfo`, in OpenID Connect's words."""
    user = org.store.tables["User"].rows[session.user_id]
    body = {
        "sub": f"{base_url}/id/{org.id}/{session.user_id}",
        "user_id": session.user_id,
        "organization_id": org.id,
        "preferred_username": user["Username"],
        "name": user.get("Name"),
        "given_name": user.get("FirstName"),
        "family_name": user.get("LastName"),
        "email": user.get("Email"),
        "email_verified": True,
        "zoneinfo": user.get("TimeZoneSidKey"),
        "user_type": "STANDARD",
        "active": user.get("IsActive"),
        "urls": _urls(base_url),
    }
    return Response(200, body)


def identity(org: Org, session: Session, org_id: str, user_id: str, base_url: str) -> Response:
    """`GET /id/ORG/USER`; OAuthError for anybody but the session's own user."""
    if org_id != org.id or user_id != session.user_id:
        raise OAuthError("invalid_token", "Bad_OAuth_Token", 403)
    user = org.store.tables["User"].rows[user_id]
    body = {
        "id": f"{base_url}/id/{org.id}/{user_id}",
        "asserted_user": True,
        "user_id": user_id,
        "organization_id": org.id,
        "username": user["Username"],
        "nick_name": user.get("Alias") or user["Username"].partition("@")[0],
        "display_name": user.get("Name"),
        "email": user.get("Email"),
        "email_verified": True,
        "first_name": user.get("FirstName"),
        "last_name": user.get("LastName"),
        "timezone": user.get("TimeZoneSidKey"),
        "active": user.get("IsActive"),
        "user_type": "STANDARD",
        "language": user.get("LanguageLocaleKey") or "en_US",
        "locale": user.get("LocaleSidKey") or "en_US",
        "urls": _urls(base_url),
        "is_app_installed": True,
    }
    return Response(200, body)


def _urls(base_url: str) -> dict[str, str]:
    rest = f"{base_url}/services/data/v{{version}}/"
    return {"rest": rest, "sobjects": f"{rest}sobjects/", "query": f"{rest}query/"}
