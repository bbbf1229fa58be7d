"""The Access User's token, shared by all processes through the database: one of them renews it, the others wait."""

import logging
import time

from django.conf import settings
from django.utils.translation import gettext as _

from sync import alerts
from sync.crm.oauth import Token, TokenAnswer, request_token, revoke_token
from sync.enums import ConnectionState, FailureMode
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection
from sync.sign_in import login_of

logger = logging.getLogger(__name__)

# Connecting (at most 10 seconds) comes on top of the time-out; then there is the database.
_MARGIN = 15.0
_LOOK_EVERY = 0.05


class StoredTokens:
    """A gateway's source of tokens (crm.oauth.TokenSource) for one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection_pk = connection.pk
        self._token = _token_of(connection)

    def learn(self, connection: Connection) -> None:
        """Take over a newer token from an instance that was read anyway."""
        if connection.token_number > self._token.number:
            self._token = _token_of(connection)

    def get(self) -> Token:
        """Return the newest token that is known here."""
        return self._token

    def renew(self, seen: Token) -> Token:
        """Return another token than `seen`: one process asks for it, the others wait for that one, bounded.

        Raises CrmError; CONNECTION (the Access User is lost) is marked and told to the admins once.
        """
        lease = _lease()
        give_up = time.monotonic() + lease + _MARGIN
        while time.monotonic() < give_up:
            connection = Connection.objects.get(pk=self._connection_pk)
            if connection.state == ConnectionState.DISCONNECTED:
                raise _disconnected(connection)
            if connection.token_number != seen.number:
                self._token = _token_of(connection)
                return self._token
            # Whoever claimed it may find its place taken: then the newest is the one to use, if there is one.
            if not connection.claim_token_refresh(seen.number, lease) or not _renew(connection):
                time.sleep(_LOOK_EVERY)
        message = _("Another process asks Salesforce for a new token and has not got it yet.")
        raise CrmError(FailureMode.TRANSIENT, "TOKEN_NOT_RENEWED", message)


class FixedToken:
    """A token that was just issued and belongs to no connection yet."""

    def __init__(self, answer: TokenAnswer) -> None:
        self._token = Token(0, answer.access_token, answer.instance_url)

    def get(self) -> Token:
        return self._token

    def renew(self, seen: Token) -> Token:
        """There is no other: a session that ends at once can't be helped."""
        message = _("Salesforce refuses the token that it has just issued.")
        raise CrmError(FailureMode.SESSION, "INVALID_SESSION_ID", message, http_status=401)


def renew_lost(connection: Connection) -> TokenAnswer | None:
    """Get a lost connection another token by its refresh token, and keep it at once: the old one may be used up.

    None when somebody else is at it or it isn't lost any more. Raises CrmError and NotConnectedError.
    """
    number = connection.token_number
    if not connection.claim_token_refresh(number, _lease(), lost=True):
        return None
    try:
        answer = request_token(login_of(connection), settings.SYNC_HTTP_TIMEOUT)
    except (CrmError, NotConnectedError):
        connection.give_up_token_refresh(number)
        raise
    return answer if _keep(connection, answer, number) else None


def revoke(login_url: str, token: str) -> CrmError | None:
    """Make the CRM forget a token; return why it could not, which leaves the token usable until it ends by itself."""
    try:
        revoke_token(login_url, token, settings.SYNC_HTTP_TIMEOUT)
    except CrmError as error:
        logger.warning("token not revoked", extra={"error_code": error.code, "http_status": error.http_status})
        return error
    return None


def _lease() -> float:
    return settings.SYNC_HTTP_TIMEOUT + _MARGIN


def _disconnected(connection: Connection) -> CrmError:
    code = connection.error_code or "DISCONNECTED"
    return CrmError(FailureMode.CONNECTION, code, connection.error_message or _("The Access User is disconnected."))


def _keep(connection: Connection, answer: TokenAnswer, number: int) -> bool:
    """Put an answer in the place of token `number`; one that nobody needs any more must not stay usable."""
    kept = connection.store_token(
        answer.access_token, answer.instance_url, answer.refresh_token or None, replacing=number
    )
    if not kept and answer.refresh_token:
        revoke(connection.login_url, answer.refresh_token)
    return kept


def _renew(connection: Connection) -> bool:
    """Ask for a token, as the one who claimed it; False when the connection was changed meanwhile."""
    number = connection.token_number
    failure: CrmError
    try:
        answer = request_token(login_of(connection), settings.SYNC_HTTP_TIMEOUT)
        if answer.org_id not in ("", connection.org_id):
            message = _("The settings lead to another Salesforce org than before.")
            raise CrmError(FailureMode.CONNECTION, "OTHER_ORG", message)
    except NotConnectedError as error:
        failure = CrmError(FailureMode.CONNECTION, "SETTINGS", str(error))
    except CrmError as error:
        failure = error
    else:
        return _keep(connection, answer, number)
    is_lost = failure.mode == FailureMode.CONNECTION
    # Lost first, given up then: those who wait then see why, and don't ask once more each.
    if is_lost and connection.mark_disconnected(failure.code, failure.message, seen_token=number):
        alerts.connection_lost(connection)
    connection.give_up_token_refresh(number)
    connection.refresh_from_db(fields=["token_number"])
    if connection.token_number != number:
        return False
    raise failure


def _token_of(connection: Connection) -> Token:
    return Token(connection.token_number, connection.access_token, connection.instance_url)
