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

from sync import alerts, outbox, troubles
from sync.crm.base import AccessUser, Crm, ObjectAccess, TaskSchema
from sync.crm.oauth import Login, TokenAnswer, request_token
from sync.crm.record_fields import kind_of_id
from sync.crm.salesforce import SalesforceCrm
from sync.enums import RecordKind
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection
from sync.sign_in import explained, login_from_settings
from sync.tokens import FixedToken, StoredTokens


@dataclass(frozen=True, slots=True)
class ConnectReport:
    """What connecting found."""

    connection: Connection
    access_user: AccessUser
    objects: tuple[ObjectAccess, ...]
    schema: TaskSchema


@dataclass(frozen=True, slots=True)
class _SignedIn:
    """A log-in that works, before anything of it is stored."""

    login: Login
    token: TokenAnswer
    access_user: AccessUser
    schema: TaskSchema
    objects: tuple[ObjectAccess, ...] = ()


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
    known = Connection.objects.of_organisation().first()
    try:
        signed_in = _sign_in(login, known, with_objects=True)
    except CrmError as error:
        failure = explained(error)
    else:
        return _store(signed_in)
    raise failure


def gateway(connection: Connection) -> Crm:
    """Return this thread's gateway for a connection. Its calls raise CrmError; call them in autocommit.

    An ended session is renewed by one process for all, and the call is made once more.
    """
    if _gateways.pid != os.getpid():  # forked: the parent's open connections are not ours
        _gateways.pid, _gateways.made = os.getpid(), {}
    if connection.uuid not in _gateways.made:
        tokens = StoredTokens(connection)
        crm = SalesforceCrm(tokens, settings.SALESFORCE_API_VERSION, settings.SYNC_HTTP_TIMEOUT)
        _gateways.made[connection.uuid] = crm, tokens
    crm, tokens = _gateways.made[connection.uuid]
    tokens.learn(connection)
    return crm


def forget_gateways() -> None:
    """Close what this thread's gateways keep open."""
    for crm, _tokens in _gateways.made.values():
        crm.close()
    _gateways.made.clear()


def read_schema(connection: Connection, crm: Crm) -> bool:
    """Read and keep which fields the org's Task has; True when that has changed. Raises CrmError."""
    return _keep_schema(connection, crm.task_schema())


def reconnect(connection: Connection) -> bool:
    """Try whether a lost Access User is back, down to a real API call; True when it is. Raises nothing."""
    try:
        signed_in = _sign_in(login_from_settings(), connection)
    except CrmError as error:
        connection.note_failed_reconnection(error.code, error.message)
    except NotConnectedError as error:
        connection.note_failed_reconnection("SETTINGS", str(error))
    else:
        _store(signed_in)
        return True
    return False


def kind_of(connection: Connection, crm_id: str) -> RecordKind | None:
    """Return what a CRM id (18 characters) of this connection's CRM stands for; None for anything but a record."""
    return kind_of_id(crm_id)


def _sign_in(login: Login, known: Connection | None, *, with_objects: bool = False) -> _SignedIn:
    """Everything over HTTP. Raises CrmError, and NotConnectedError for another org than `known`'s."""
    token = request_token(login, settings.SYNC_HTTP_TIMEOUT)
    crm = SalesforceCrm(FixedToken(token), settings.SALESFORCE_API_VERSION, settings.SYNC_HTTP_TIMEOUT)
    try:
        access_user = crm.access_user()
        if known is not None and access_user.org_id != known.org_id:
            raise NotConnectedError(
                _(
                    "SALESFORCE_LOGIN_URL leads to the org %(new)s, but this installation is connected to %(old)s. "
                    "Set it to that org; another org needs an installation of its own."
                )
                % {"new": access_user.org_id, "old": known.org_id}
            )
        objects = tuple(crm.object_access()) if with_objects else ()
        return _SignedIn(login, token, access_user, crm.task_schema(), objects)
    finally:
        crm.close()


def _store(signed_in: _SignedIn) -> ConnectReport:
    """Keep a log-in that works; what waited for it is due."""
    user = signed_in.access_user
    with transaction.atomic(durable=True):
        connection, _created = Connection.objects.update_or_create(
            org_id=user.org_id,
            user=None,
            defaults={
                "auth_flow": signed_in.login.flow,
                "login_url": signed_in.login.login_url,
                "access_user_id": user.user_id,
                "access_user_name": f"{user.name} ({user.username})"[:255],
            },
        )
        connection.store_token(signed_in.token.access_token, signed_in.token.instance_url)
        changed = _keep_schema(connection, signed_in.schema)
        is_back = connection.mark_connected()
    outbox.enqueue_missing(connection)
    if changed:
        troubles.probe_at_once(connection)
    if is_back:
        outbox.ring(connection)
        alerts.connection_back(connection)
    connection.refresh_from_db()
    return ConnectReport(connection, user, signed_in.objects, signed_in.schema)


def _keep_schema(connection: Connection, schema: TaskSchema) -> bool:
    # A worker may go on for a while with the fields that it has read.
    until = timezone.now() + timedelta(seconds=settings.SYNC_JOB_TIMEOUT)
    before = connection.schema and TaskSchema.from_json(connection.schema).to_json()
    data = schema.following(connection.task_schema, until).to_json()
    changed = data != before
    connection.schema, connection.schema_at = data, timezone.now()
    connection.save(update_fields=["schema", "schema_at"])
    return changed
