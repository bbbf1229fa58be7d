"""Connecting in the browser: begun with a secret of the session, looked at, then accepted or discarded."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from sync import connecting, tokens
from sync.browser_app import browser_login, callback_url
from sync.consent_errors import ConsentError, refused
from sync.crm.base import AccessUser, ObjectAccess, TaskSchema
from sync.crm.oauth import Consent, Login, TokenAnswer, authorize_url, request_token
from sync.enums import AuthFlow
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection, PendingConnection
from teams.models import User

# To log in to Salesforce, with a second factor, and to read what is asked.
_LASTS = timedelta(minutes=15)
# Log-ins of one user that may come back at the same moment.
_ANSWERS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Begun:
    """What is remembered in the session until Salesforce sends the browser back. `until` is epoch seconds."""

    state: str
    verifier: str
    login_url: str
    user_pk: int
    until: float

    def to_json(self) -> dict[str, Any]:
        """Return what the session keeps; it never stands in a page."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "Begun | None":
        """Read what `to_json` gave; None for anything else."""
        try:
            return cls(**data)
        except TypeError:
            return None

    def answers(self, state: str, user: User, now: datetime) -> bool:
        """Whether it was this user in this session who asked, and not too long ago."""
        is_same = constant_time_compare(self.state, state) and self.user_pk == user.pk
        return is_same and now.timestamp() < self.until


def begin(login_url: str, user: User) -> tuple[str, Begun]:
    """Return the address to send the browser to, and what to remember. Raises NotConnectedError, with the remedy."""
    begun = Begun(
        state=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        login_url=login_url,
        user_pk=user.pk,
        until=(timezone.now() + _LASTS).timestamp(),
    )
    app = browser_login(login_url, consent=Consent("", begun.verifier, callback_url()))
    return authorize_url(login_url, app.client_id, callback_url(), begun.state, begun.verifier), begun


def came_back(begun: Begun, user: User, answer: Mapping[str, str]) -> PendingConnection:
    """Keep what Salesforce let in, encrypted and apart from the connection, for `user` to look at.

    `answer` is what Salesforce sent the browser back with. Raises ConsentError; then nothing is kept, and what
    Salesforce gave out is revoked. Call it in autocommit.
    """
    if error := answer.get("error"):
        raise refused(error, answer.get("error_description", ""))
    if not answer.get("code"):
        raise refused("NO_CODE", _("Salesforce sent no code."))
    try:
        login = browser_login(begun.login_url, consent=Consent(answer["code"], begun.verifier, callback_url()))
        token = request_token(login, settings.SYNC_HTTP_TIMEOUT)
    except NotConnectedError as error:
        raise ConsentError("SETTINGS", "", str(error)) from None
    except CrmError as error:
        failure = refused(error.code, error.message)
    else:
        return _kept(user, login, token, _looked(login, token))
    raise failure


def accept(pending: PendingConnection, user: User) -> Connection | None:
    """Make what was let in the organisation's connection; None when it was decided about meanwhile.

    Raises ConsentError when another org is connected by now.
    """
    try:
        report = connecting.store(_signed_in(pending), by=user, pending=pending)
    except PendingConnection.DoesNotExist:
        return None
    except NotConnectedError:
        known = Connection.objects.of_organisation().without_tokens().get()
        discard(pending)
        raise _other_org(pending.org_id, known.org_id) from None
    return report.connection


def discard(pending: PendingConnection) -> CrmError | None:
    """Forget what was let in, here and at Salesforce; return why Salesforce could not be told."""
    token = pending.readable_token()
    # Forgotten first: what somebody has accepted meanwhile is the connection's, and stays.
    forgotten, _rows = PendingConnection.objects.filter(pk=pending.pk).delete()
    return tokens.revoke(pending.login_url, token) if forgotten and token else None


def discard_lapsed() -> None:
    """Forget what nobody accepted in time."""
    for pending in PendingConnection.objects.lapsed().without_tokens():
        discard(pending)


def access_of(pending: PendingConnection) -> list[ObjectAccess]:
    """Return what the Access User that was let in may do."""
    return [ObjectAccess.from_json(each) for each in pending.access]


def _looked(login: Login, token: TokenAnswer) -> connecting.SignedIn:
    """Look what the token is good for; one that can't become the connection is revoked."""
    failure: ConsentError
    try:
        if not token.refresh_token:
            raise refused("NO_REFRESH_TOKEN", "")
        signed_in = connecting.look(login, token, None, with_objects=True)
        known = Connection.objects.of_organisation().without_tokens().first()
        if known is not None and known.org_id != signed_in.access_user.org_id:
            raise _other_org(signed_in.access_user.org_id, known.org_id)
    except CrmError as error:
        failure = refused(error.code, error.message)
    except ConsentError as error:
        failure = error
    else:
        return signed_in
    tokens.revoke(login.login_url, token.refresh_token or token.access_token)
    raise failure


def _other_org(new: str, known: str) -> ConsentError:
    return ConsentError(
        "OTHER_ORG",
        "",
        _(
            "You logged in to the org %(new)s, but this installation is connected to %(known)s. Log in to that org; "
            "another org needs an installation of its own."
        )
        % {"new": new, "known": known},
    )


def _kept(user: User, login: Login, token: TokenAnswer, signed_in: connecting.SignedIn) -> PendingConnection:
    """Keep one log-in a user: of two that come back at the same moment, the later takes the other's place."""
    pending = _pending(user, login, token, signed_in)
    for _attempt in range(_ANSWERS_AT_ONCE):
        for earlier in PendingConnection.objects.filter(user=user).without_tokens():
            discard(earlier)
        try:
            with transaction.atomic():
                pending.save(force_insert=True)
        except IntegrityError:
            continue
        return pending
    tokens.revoke(login.login_url, token.refresh_token or token.access_token)
    raise ConsentError("AT_ONCE", "", _("You logged in several times at once. Begin again, in one window."))


def _pending(user: User, login: Login, token: TokenAnswer, signed_in: connecting.SignedIn) -> PendingConnection:
    who, usage = signed_in.access_user, signed_in.usage
    return PendingConnection(
        user=user,
        login_url=login.login_url,
        instance_url=token.instance_url,
        access_token=token.access_token,
        refresh_token=token.refresh_token,
        org_id=who.org_id,
        org_name=signed_in.org_name[:255],
        access_user_id=who.user_id,
        access_user_name=who.name[:255],
        username=who.username[:255],
        access=[each.to_json() for each in signed_in.objects],
        schema=signed_in.schema.to_json(),
        api_used=usage.used if usage else None,
        api_limit=usage.limit if usage else None,
    )


def _signed_in(pending: PendingConnection) -> connecting.SignedIn:
    return connecting.SignedIn(
        AuthFlow.WEB_SERVER,
        pending.login_url,
        TokenAnswer(pending.access_token, pending.instance_url, refresh_token=pending.refresh_token),
        AccessUser(pending.access_user_id, pending.username, pending.access_user_name, pending.org_id),
        TaskSchema.from_json(pending.schema),
        tuple(access_of(pending)),
        pending.org_name,
        pending.usage,
    )
