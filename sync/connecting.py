"""Connecting to the CRM: the one place that makes gateways, knows the settings and keeps what they find out."""

import os
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import alerts, outbox, tokens, troubles
from sync.crm.base import AccessUser, Crm, ObjectAccess, TaskSchema, Usage
from sync.crm.oauth import Login, TokenAnswer, request_token
from sync.crm.record_fields import kind_of_id
from sync.crm.salesforce import SalesforceCrm
from sync.enums import AuthFlow, ConnectionState, FailureMode, RecordKind
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection, FieldMapping, PendingConnection
from sync.sign_in import explained, login_from_settings, login_of
from sync.tokens import FixedToken, StoredTokens
from teams import audit
from teams.models import User


@dataclass(frozen=True, slots=True)
class ConnectReport:
    """What connecting found."""

    connection: Connection
    access_user: AccessUser
    objects: tuple[ObjectAccess, ...]
    schema: TaskSchema


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A log-in that works, before anything of it is stored. `objects` and `org_name` only where they were asked for."""

    flow: AuthFlow
    login_url: str
    token: TokenAnswer
    access_user: AccessUser
    schema: TaskSchema
    objects: tuple[ObjectAccess, ...] = ()
    org_name: str = ""
    usage: Usage | None = None


class _Gateways(threading.local):
    """The gateways of one thread: they keep connections open, which threads and forks must not share."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.made: dict[uuid.UUID, tuple[SalesforceCrm, StoredTokens]] = {}


_gateways = _Gateways()


def connect() -> ConnectReport:
    """Connect with what settings.SALESFORCE_* name; make or update the organisation's connection.

    Raises NotConnectedError: one line that says what is wrong and the remedy; nothing is changed then. Call it in
    autocommit: no transaction is held over HTTP.
    """
    login = login_from_settings()
    known = Connection.objects.of_organisation().without_tokens().first()
    try:
        signed_in = _sign_in(login, known, with_objects=True)
    except CrmError as error:
        failure = explained(error)
    else:
        return store(signed_in)
    raise failure


def gateway(connection: Connection) -> Crm:
    """Return this thread's gateway for a connection. Its calls raise CrmError; call them in autocommit.

    An ended session is renewed by one process for all, and the call is made once more.
    """
    if _gateways.pid != os.getpid():  # forked: the parent's open connections are not ours
        _gateways.pid, _gateways.made = os.getpid(), {}
    if connection.uuid not in _gateways.made:
        stored = StoredTokens(connection)
        crm = SalesforceCrm(stored, settings.SALESFORCE_API_VERSION, settings.SYNC_HTTP_TIMEOUT)
        _gateways.made[connection.uuid] = crm, stored
    crm, stored = _gateways.made[connection.uuid]
    stored.learn(connection)
    return crm


def forget_gateways() -> None:
    """Close what this thread's gateways keep open."""
    for crm, _tokens in _gateways.made.values():
        crm.close()
    _gateways.made.clear()


def read_schema(connection: Connection, crm: Crm, *, anew: bool = True) -> bool:
    """Read and keep which fields the org's Task has; True when that has changed. Raises CrmError.

    Not `anew`: the fields that this gateway read last are good enough.
    """
    return _keep_schema(connection, crm.task_schema(FieldMapping.objects.names(), anew=anew))


def schema_of(connection: Connection, crm: Crm) -> TaskSchema:
    """Return the org's Task as it was last read, with the fields that are chosen now. Raises CrmError.

    What people choose counts at once in every process: a schema that was read before is read again.
    """
    schema = connection.task_schema
    if schema is None or schema.names != FieldMapping.objects.names():
        read_schema(connection, crm)
        schema = connection.task_schema
        assert schema is not None
    return schema


def reconnect(connection: Connection) -> bool:
    """Try whether a lost Access User is back, down to a real API call; True when it is. Raises nothing.

    One that a person disconnected stays so.
    """
    try:
        signed_in = _sign_in_again(connection)
    except CrmError as error:
        connection.note_failed_reconnection(error.code, error.message)
    except NotConnectedError as error:
        connection.note_failed_reconnection("SETTINGS", str(error))
    else:
        if signed_in is not None:
            return _came_back(connection, signed_in)
        connection.refresh_from_db(fields=["state"])
        return connection.state == ConnectionState.CONNECTED
    return False


def check(connection: Connection) -> None:
    """Look again at what the Access User of a connection that works may do, and keep it. Raises CrmError."""
    crm = SalesforceCrm(StoredTokens(connection), settings.SALESFORCE_API_VERSION, settings.SYNC_HTTP_TIMEOUT)
    names = FieldMapping.objects.names()
    try:
        org_name, objects, schema = crm.org_name(), tuple(crm.object_access(names)), crm.task_schema(names)
    except CrmError as error:
        note_loss(connection, error)
        raise
    finally:
        connection.note_usage(crm.usage)
        crm.close()
    _keep_access(connection, objects, org_name)
    if _keep_schema(connection, schema):
        troubles.probe_at_once(connection)


def note_loss(connection: Connection, error: CrmError) -> None:
    """Say that the Access User is lost, when that is what an error of a call means."""
    if error.mode == FailureMode.CONNECTION and connection.mark_disconnected(error.code, error.message):
        alerts.connection_lost(connection)


def disconnect(connection: Connection, by: User) -> CrmError | None:
    """Take the Access User away on purpose, and its token at the CRM; return why the CRM could not be told.

    Nothing is lost: what is completed waits, and its 30 days stand still.
    """
    before = connection.get_state_display()
    with transaction.atomic(durable=True):
        token = connection.disconnect(by)
        audit.note(by, connection, {"state": (before, _("Disconnected on purpose"))})
    return tokens.revoke(connection.login_url, token) if token else None


def kind_of(connection: Connection, crm_id: str) -> RecordKind | None:
    """Return what a CRM id (18 characters) of this connection's CRM stands for; None for anything but a record."""
    return kind_of_id(crm_id)


def _sign_in(login: Login, known: Connection | None, *, with_objects: bool = False) -> SignedIn:
    """Everything over HTTP. Raises CrmError, and NotConnectedError for another org than `known`'s."""
    return look(login, request_token(login, settings.SYNC_HTTP_TIMEOUT), known, with_objects=with_objects)


def _sign_in_again(connection: Connection) -> SignedIn | None:
    """None when somebody else is at it."""
    if connection.auth_flow != AuthFlow.WEB_SERVER:
        return _sign_in(login_from_settings(), connection)
    token = tokens.renew_lost(connection)
    return look(login_of(connection), token, connection) if token else None


def look(login: Login, token: TokenAnswer, known: Connection | None, *, with_objects: bool = False) -> SignedIn:
    """Ask the CRM who signed in and what its Task has; `with_objects` also what they may do, and the org's name.

    Raises CrmError, and NotConnectedError for another org than `known`'s.
    """
    crm = SalesforceCrm(FixedToken(token), settings.SALESFORCE_API_VERSION, settings.SYNC_HTTP_TIMEOUT)
    try:
        names = FieldMapping.objects.names()
        access_user = crm.access_user()
        if known is not None and access_user.org_id != known.org_id:
            raise _other_org(access_user.org_id, known.org_id)
        objects = tuple(crm.object_access(names)) if with_objects else ()
        org_name = crm.org_name() if with_objects else ""
        schema = crm.task_schema(names)
        return SignedIn(login.flow, login.login_url, token, access_user, schema, objects, org_name, crm.usage)
    finally:
        crm.close()


def _other_org(new: str, old: str) -> NotConnectedError:
    return NotConnectedError(
        _(
            "SALESFORCE_LOGIN_URL leads to the org %(new)s, but this installation is connected to %(old)s. "
            "Set it to that org; another org needs an installation of its own."
        )
        % {"new": new, "old": old}
    )


def store(signed_in: SignedIn, by: User | None = None, pending: PendingConnection | None = None) -> ConnectReport:
    """Keep a log-in that works, as a person wants it; what waited for it is due. `by`: who; None: the server's command.

    `pending`: what it was kept in until now, and is no longer: a token in both places would be revoked as unaccepted.
    Raises PendingConnection.DoesNotExist when that is gone, and NotConnectedError for another org than the one that is
    connected. Call it in autocommit.
    """
    org_id = signed_in.access_user.org_id
    with transaction.atomic(durable=True):
        known = Connection.objects.of_organisation().without_tokens().select_for_update().first()
        if known is not None and known.org_id != org_id:
            raise _other_org(org_id, known.org_id)
        if pending is not None and not PendingConnection.objects.filter(pk=pending.pk).delete()[0]:
            raise PendingConnection.DoesNotExist
        connection = known or Connection.objects.create(org_id=org_id, **_identity(signed_in))
        before = known.readable_token() if known is not None and known.auth_flow == AuthFlow.WEB_SERVER else ""
        login_url = connection.login_url
        if known is not None:
            _note_anew(known, signed_in, by)
        token = signed_in.token
        connection.store_token(token.access_token, token.instance_url, token.refresh_token)
        is_back, changed = connection.mark_connected(by_hand=True), _keep(connection, signed_in)
    if before not in ("", connection.refresh_token):
        tokens.revoke(login_url, before)
    _after(connection, is_back=is_back, changed=changed)
    return ConnectReport(connection, signed_in.access_user, signed_in.objects, signed_in.schema)


def _note_anew(known: Connection, signed_in: SignedIn, by: User | None) -> None:
    """Give a connection another log-in, and say so in the audit: update() writes no entry by itself."""
    values = _identity(signed_in)
    changes = {name: (str(getattr(known, name)), str(new)) for name, new in values.items()}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    audit.note(by, known, {"state": (known.get_state_display(), _("Connected anew")), **changes})
    Connection.objects.filter(pk=known.pk).update(**values)


def _identity(signed_in: SignedIn) -> dict[str, str]:
    user = signed_in.access_user
    return {
        "auth_flow": signed_in.flow.value,
        "login_url": signed_in.login_url,
        "access_user_id": user.user_id,
        "access_user_name": f"{user.name} ({user.username})"[:255],
    }


def _came_back(connection: Connection, signed_in: SignedIn) -> bool:
    """Keep what a lost connection came back with; False when a person disconnected it meanwhile."""
    with transaction.atomic(durable=True):
        if not Connection.objects.lost().select_for_update().filter(pk=connection.pk).exists():
            connection.refresh_from_db(fields=["state"])
            return connection.state == ConnectionState.CONNECTED
        # Not save(): nobody decided anything.
        Connection.objects.filter(pk=connection.pk).update(**_identity(signed_in))
        if signed_in.flow != AuthFlow.WEB_SERVER:  # else it is kept already
            connection.store_token(signed_in.token.access_token, signed_in.token.instance_url)
        is_back, changed = connection.mark_connected(), _keep(connection, signed_in)
    _after(connection, is_back=is_back, changed=changed)
    return True


def _keep(connection: Connection, signed_in: SignedIn) -> bool:
    """Keep what was seen of the org; True when its Task has changed."""
    connection.note_usage(signed_in.usage)
    if signed_in.objects:
        _keep_access(connection, signed_in.objects, signed_in.org_name)
    return _keep_schema(connection, signed_in.schema)


def _after(connection: Connection, *, is_back: bool, changed: bool) -> None:
    """What waited for the connection is due."""
    outbox.enqueue_missing(connection)
    if changed:
        troubles.probe_at_once(connection)
    if is_back:
        outbox.ring(connection)
        alerts.connection_back(connection)
    connection.refresh_from_db()


def _keep_access(connection: Connection, objects: tuple[ObjectAccess, ...], org_name: str) -> None:
    access = [each.to_json() for each in objects]
    Connection.objects.filter(pk=connection.pk).update(access=access, access_at=timezone.now(), org_name=org_name[:255])


def _keep_schema(connection: Connection, schema: TaskSchema) -> bool:
    # A worker may go on for a while with the fields that it has read.
    until = timezone.now() + timedelta(seconds=settings.SYNC_JOB_TIMEOUT)
    before = connection.schema and TaskSchema.from_json(connection.schema).to_json()
    data = schema.following(connection.task_schema, until).to_json()
    changed = data != before
    connection.schema, connection.schema_at = data, timezone.now()
    connection.save(update_fields=["schema", "schema_at"])
    return changed
