"""Salesforce behind the CRM protocol. The only file that imports simple_salesforce, which is the transport."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests
from django.utils.translation import gettext as _
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from sync.crm import record_fields, task_fields, users
from sync.crm.access import access_of, no_access
from sync.crm.answers import request_error, request_id_of, row_results, text, unreadable, usage_of
from sync.crm.base import (
    AccessUser,
    BatchAnswer,
    CrmRecord,
    CrmUser,
    FoundTask,
    Names,
    ObjectAccess,
    RowResult,
    TaskRow,
    TaskSchema,
    Usage,
    Value,
)
from sync.crm.oauth import Token, TokenSource
from sync.crm.org_fields import OrgFields
from sync.crm.transport import network_error, new_session
from sync.enums import FailureMode, RecordKind, Slot
from sync.errors import CrmError
from teams.crm_ids import to_18

MAX_ROWS = 200
_WORTH_GZIP = 1024
_MOST_PAGES = 20
# What a query meets that the Access User may not make.
_HIDDEN = (FailureMode.PERMISSION, FailureMode.CONFIGURATION)
_CLOSED_STATUSES = "SELECT ApiName, MasterLabel FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder"

_FIELD_DEFINITIONS = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Task'"
_VIEWS_SETUP = "SELECT PermissionsViewSetup FROM UserPermissionAccess"

Do = Callable[[Salesforce], Any]


class SalesforceCrm:
    """One org, as its Access User. For one thread of one process, made after the fork: it keeps connections open."""

    def __init__(self, tokens: TokenSource, version: str, timeout: float) -> None:
        """`version` like "62.0"; `timeout` in seconds, for connecting (at most ten) and for each answer."""
        self.usage: Usage | None = None
        self._tokens = tokens
        self._version = version
        self._timeout = timeout
        self._client: Salesforce | None = None
        self._client_token: Token | None = None
        self._response: requests.Response | None = None
        self._describes: dict[str, Mapping[str, Any]] = {}

    def access_user(self) -> AccessUser:
        """Who we are: one call."""
        data = self._call(lambda client: client.oauth2("userinfo"))
        try:
            return AccessUser(
                user_id=to_18(data["user_id"]),
                username=str(data["preferred_username"]),
                name=str(data.get("name") or data["preferred_username"]),
                org_id=to_18(data["organization_id"]),
            )
        except (KeyError, TypeError, ValueError):
            failure = self._unreadable()
        raise failure

    def org_name(self) -> str:
        """What the org calls itself: one call; empty when the Access User may not know."""
        try:
            found = self._query("SELECT Name FROM Organization")
        except CrmError as error:
            if error.mode not in _HIDDEN:
                raise
            return ""
        return text(found[0].get("Name")) if found else ""

    def object_access(self, names: Names = task_fields.NO_NAMES) -> list[ObjectAccess]:
        """What the Access User may do with the five record objects and Task, and what is missing: seven calls."""
        listed = {each["name"]: each for each in self._get("sobjects", "sobjects")["sobjects"]}
        expected = {name: record_fields.expected_fields(kind) for kind, name in record_fields.OBJECTS.items()}
        expected["Task"] = tuple(task_fields.slot_names(names, has_key=True).values())
        return [
            access_of(name, listed[name], self._describe(name, anew=True), fields)
            if name in listed
            else no_access(name, fields)
            for name, fields in expected.items()
        ]

    def task_schema(self, names: Names = task_fields.NO_NAMES, *, anew: bool = True) -> TaskSchema:
        """Read which fields the org's Task has, and which status means closed: two calls.

        One call, when the fields that were read last are good enough (not `anew`).
        """
        describe = self._describe("Task", anew=anew)
        status = task_fields.closed_status(self._query(_CLOSED_STATUSES), describe)
        if status is None:
            message = _("No status of a Task means closed. Add one in Salesforce under Task Status.")
            raise CrmError(FailureMode.CONFIGURATION, "NO_CLOSED_STATUS", message)
        return task_fields.task_schema(describe, status, names)

    def task_fields(self, wanted: Sequence[str]) -> OrgFields:
        """Read all fields of the org's Task: one call; two more where one of `wanted` is not to be seen."""
        described = task_fields.fields_by_name(self._describe("Task", anew=True))
        fields = {name: task_fields.described_field(field) for name, field in described.items()}
        unseen = [name for name in wanted if name not in fields]
        if not unseen:
            return OrgFields(fields)
        # What the Access User may not see is listed to who may view the set-up; to others perhaps not.
        listed = {text(row.get("QualifiedApiName")) for row in self._allowed_query(_FIELD_DEFINITIONS)}
        setup = self._allowed_query(_VIEWS_SETUP)
        tells = bool(listed) and any(row.get("PermissionsViewSetup") for row in setup)
        return OrgFields(fields, tuple(name for name in unseen if name in listed), tells)

    def write_tasks(self, rows: Sequence[TaskRow], schema: TaskSchema) -> BatchAnswer:
        """Write up to 200 new Tasks in one call: an upsert by KEY when the schema has it, else a create."""
        key_field = schema.fields[Slot.KEY].name if schema.has_key else ""
        own = [{key_field: row.key} if key_field else {} for row in rows]
        records = [_record(row.fields, extra) for row, extra in zip(rows, own, strict=True)]
        if key_field:
            return self._collection("PATCH", f"composite/sobjects/Task/{key_field}", records, key_field=key_field)
        return self._collection("POST", "composite/sobjects", records, created=True)

    def update_tasks(self, rows: Sequence[TaskRow]) -> BatchAnswer:
        """Update up to 200 Tasks by `crm_id` in one call."""
        records = [_record(row.fields, {"id": row.crm_id}) for row in rows]
        return self._collection("PATCH", "composite/sobjects", records)

    def find_tasks(
        self, keys: Sequence[str], schema: TaskSchema, fields: Sequence[str], key_field: str = ""
    ) -> dict[str, list[FoundTask]]:
        """Find Tasks by up to 200 keys in one call, deleted ones included; every match of a key is returned.

        Raises CrmError (NO_KEY_FIELD) when the org has no field in which a key could be searched.
        """
        _check_size(keys)
        key_field = key_field or schema.key_name
        if not key_field:
            message = _("Task has no field that could carry a key: add %(field)s.") % {"field": task_fields.KEY_FIELD}
            raise CrmError(FailureMode.CONFIGURATION, "NO_KEY_FIELD", message)
        names = dict.fromkeys(("Id", "IsDeleted", key_field, *fields))
        # About 41 characters a key: the address stays far below Salesforce's 16,384 bytes.
        soql = f"SELECT {', '.join(names)} FROM Task WHERE {key_field} IN ({_quoted(keys)})"  # noqa: S608
        asked = {key.lower(): key for key in keys}
        found: dict[str, list[FoundTask]] = {}
        for row in self._query(soql):
            if key := asked.get(str(row[key_field]).lower()):
                values = {name: row.get(name) for name in fields}
                task = FoundTask(to_18(row["Id"]), key, values, bool(row["IsDeleted"]))
                found.setdefault(key, []).append(task)
        return found

    def fetch_records(self, kind: RecordKind, crm_ids: Sequence[str]) -> list[CrmRecord]:
        """Read up to 200 records by id in one call; those that don't exist are left out, deleted ones are marked.

        The first call for a kind asks for its fields, too, and asks again when one of them is gone.
        """
        _check_size(crm_ids)
        name = record_fields.OBJECTS[kind]
        known = name in self._describes
        try:
            return self._fetch(kind, name, crm_ids)
        except CrmError as error:
            if not known or not error.code.startswith("INVALID_FIELD"):
                raise
        del self._describes[name]
        return self._fetch(kind, name, crm_ids)

    def find_users(self, emails: Sequence[str]) -> list[CrmUser]:
        """Find the CRM's users by e-mail, deactivated ones included: one call for each 200 addresses begun.

        More where addresses are longer than 40 characters; none for no address.
        """
        rows = [row for soql in users.queries(emails, MAX_ROWS) for row in self._query(soql)]
        try:
            return [users.user_of(row) for row in rows]
        except (KeyError, TypeError, ValueError):
            failure = self._unreadable()
        raise failure

    def read_usage(self) -> Usage:
        """Ask how many calls are left: one call."""
        data = self._call(lambda client: client.limits())
        try:
            calls = data["DailyApiRequests"]
            self.usage = Usage(used=calls["Max"] - calls["Remaining"], limit=calls["Max"])
        except (KeyError, TypeError):
            failure = self._unreadable()
        else:
            return self.usage
        raise failure

    def close(self) -> None:
        """Close the connections that are kept open."""
        if self._client is not None:
            self._client.session.close()
        self._client = self._client_token = None

    def _fetch(self, kind: RecordKind, name: str, crm_ids: Sequence[str]) -> list[CrmRecord]:
        describe = self._describe(name)
        names = record_fields.read_fields(kind, describe)
        soql = f"SELECT {', '.join(names)} FROM {name} WHERE Id IN ({_quoted(crm_ids)})"  # noqa: S608
        rows = self._query(soql)
        try:
            return [record_fields.record_of(kind, row, describe) for row in rows]
        except (KeyError, TypeError, ValueError):
            failure = self._unreadable()
        raise failure

    def _describe(self, name: str, *, anew: bool = False) -> Mapping[str, Any]:
        if anew or name not in self._describes:
            self._describes[name] = self._get(f"sobjects/{name}/describe", "fields")
        return self._describes[name]

    def _get(self, path: str, part: str) -> Mapping[str, Any]:
        """An object that has `part`, a list."""
        data = self._call(lambda client: client.restful(path))
        if not isinstance(data, dict) or not isinstance(data.get(part), list):
            raise self._unreadable()
        return data

    def _allowed_query(self, soql: str) -> list[Mapping[str, Any]]:
        """The rows of a query about the set-up; none where the Access User may not ask it."""
        try:
            return self._query(soql, include_deleted=False)
        except CrmError as error:
            if error.mode not in _HIDDEN:
                raise
            return []

    def _query(self, soql: str, *, include_deleted: bool = True) -> list[Mapping[str, Any]]:
        """All rows of a query, by default deleted ones, too; a further call for each page beyond the first."""
        page = self._call(lambda client: client.query(soql, include_deleted=include_deleted))
        rows: list[Mapping[str, Any]] = []
        for _page in range(_MOST_PAGES):
            if not isinstance(page, dict) or not isinstance(page.get("records"), list):
                raise self._unreadable()
            rows += page["records"]
            if page.get("done") is not False:
                return rows
            page = self._next_page(str(page.get("nextRecordsUrl")))
        raise CrmError(FailureMode.OTHER, "TOO_MANY_PAGES", _("The CRM's answer has no end."))

    def _next_page(self, path: str) -> Any:
        return self._call(lambda client: client.query_more(path, identifier_is_url=True))

    def _collection(
        self,
        method: str,
        path: str,
        records: Sequence[Mapping[str, Value | Mapping[str, str]]],
        *,
        key_field: str = "",
        created: bool = False,
    ) -> BatchAnswer:
        _check_size(records)
        body = json.dumps({"allOrNone": False, "records": records}).encode()
        headers = {}
        if len(body) > _WORTH_GZIP:
            body, headers = gzip.compress(body, compresslevel=5), {"Content-Encoding": "gzip"}
        data = self._call(lambda client: client.restful(path, method=method, data=body, headers=headers))
        status, request_id = self._status(), self._request_id()
        results: tuple[RowResult, ...] = row_results(
            data, len(records), status, request_id, key_field=key_field, created=created
        )
        return BatchAnswer(results, status, request_id, self.usage)

    def _call(self, do: Do) -> Any:
        """Make a call; when the session has ended, once more with another token."""
        token = self._tokens.get()
        try:
            return self._once(token, do)
        except CrmError as error:
            if error.mode != FailureMode.SESSION:
                raise
        return self._once(self._tokens.renew(token), do)

    def _once(self, token: Token, do: Do) -> Any:
        """Make a call; foreign errors end here: they hold addresses and contents, so ours is not chained to them."""
        self._keep(None)
        failure: CrmError
        try:
            data = do(self._client_for(token))
        except SalesforceError:
            failure = self._refusal()
        except (requests.exceptions.JSONDecodeError, TypeError):
            if self._response is None:
                raise  # ours, not the CRM's
            failure = self._unreadable()
        except requests.RequestException as error:
            failure = network_error(error)
            if self._response is not None and failure.code != "REDIRECTED":
                failure.http_status, failure.request_id = self._status(), self._request_id()
        else:
            return data
        finally:
            if self._response is not None:
                self.usage = usage_of(self._response.headers) or self.usage
        raise failure

    def _client_for(self, token: Token) -> Salesforce:
        if self._client is None or token != self._client_token:
            session = self._session_for(token)
            self._client = Salesforce(
                instance_url=token.instance_url,
                session_id=token.access_token,
                session=session,
                version=self._version,
                parse_float=Decimal,
                object_pairs_hook=dict,
            )
            self._client.headers.pop("X-PrettyPrint", None)
            self._client_token = token
        return self._client

    def _session_for(self, token: Token) -> requests.Session:
        """The open connections are kept while the address stays."""
        if self._client is not None and self._client_token is not None:
            if self._client_token.instance_url == token.instance_url:
                kept: requests.Session = self._client.session
                return kept
            self.close()
        session = new_session(token.instance_url, self._timeout)
        session.hooks["response"].append(self._keep)
        return session

    def _keep(self, response: requests.Response | None, *_args: Any, **_kwargs: Any) -> None:
        self._response = response

    def _refusal(self) -> CrmError:
        assert self._response is not None
        return request_error(self._status(), self._response.content, self._request_id())

    def _unreadable(self) -> CrmError:
        return unreadable(self._status(), self._request_id())

    def _status(self) -> int:
        return self._response.status_code if self._response is not None else 0

    def _request_id(self) -> str:
        return request_id_of(self._response.headers) if self._response is not None else ""


def _record(fields: Mapping[str, Value], extra: Mapping[str, Value]) -> dict[str, Value | Mapping[str, str]]:
    return {"attributes": {"type": "Task"}, **fields, **extra}


def _check_size(rows: Sequence[Any]) -> None:
    if not 0 < len(rows) <= MAX_ROWS:
        raise ValueError(f"One call takes 1 to {MAX_ROWS} rows, not {len(rows)}.")


def _quoted(values: Sequence[str]) -> str:
    """SOQL's list of texts. Keys and ids hold letters and digits only; anything else is a mistake of ours."""
    if not all(value.isalnum() and value.isascii() for value in values):
        raise ValueError("A key or id holds letters and digits only.")
    return ", ".join(f"'{value}'" for value in values).replace(", ", ",")
