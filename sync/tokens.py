"""The Access User's token, shared by all processes through the database: one of them renews it, the others wait."""

import time

from django.conf import settings
from django.utils.translation import gettext as _

from sync import alerts
from sync.crm.oauth import Token, TokenAnswer, request_token
from sync.enums import ConnectionState, FailureMode
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection
from sync.sign_in import login_from_settings

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
        lease = settings.SYNC_HTTP_TIMEOUT + _MARGIN
        give_up = time.monotonic() + lease + _MARGIN
        while time.monotonic() < give_up:
            connection = Connection.objects.get(pk=self._connection_pk)
            if connection.token_number != seen.number:
                self._token = _token_of(connection)
                return self._token
            if connection.state == ConnectionState.DISCONNECTED:
                raise CrmError(FailureMode.CONNECTION, connection.error_code, connection.error_message)
            if connection.claim_token_refresh(seen.number, lease):
                self._token = _renewed(connection)
                return self._token
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


def _renewed(connection: Connection) -> Token:
    """Ask for a token, as the one who claimed it."""
    number = connection.token_number
    failure: CrmError
    try:
        answer = request_token(login_from_settings(), settings.SYNC_HTTP_TIMEOUT)
        if answer.org_id not in ("", connection.org_id):
            message = _("The settings lead to another Salesforce org than before.")
            raise CrmError(FailureMode.CONNECTION, "OTHER_ORG", message)
    except NotConnectedError as error:
        failure = CrmError(FailureMode.CONNECTION, "SETTINGS", str(error))
    except CrmError as error:
        failure = error
    else:
        connection.store_token(answer.access_token, answer.instance_url)
        return _token_of(connection)
    # Lost first, given up then: those who wait then see why, and don't ask once more each.
    if failure.mode == FailureMode.CONNECTION and connection.mark_disconnected(failure.code, failure.message):
        alerts.connection_lost(connection)
    connection.give_up_token_refresh(number)
    raise failure


def _token_of(connection: Connection) -> Token:
    return Token(connection.token_number, connection.access_token, connection.instance_url)
