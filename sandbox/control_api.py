"""The control API under `/sandbox/`: no session, no latency, no faults. README.md lists it."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox import edits, package, schema_changes
from sandbox.errors import ApiError
from sandbox.faults import UnknownFaultError
from sandbox.matching import ConditionError
from sandbox.messages import Answer, Request, as_json
from sandbox.oauth import Client
from sandbox.org import Org
from sandbox.schema import SObjectType

if TYPE_CHECKING:
    from sandbox.server import RunningSandbox

_REFUSED = (UnknownFaultError, ConditionError, edits.UnknownRowError, schema_changes.ChangeError)


class _UnknownError(Exception):
    """No such control resource, or not with this method."""


def serve(sandbox: "RunningSandbox", request: Request) -> Answer:
    """400 with `{"error"}` for a wrong request, 404 for an unknown one."""
    segments = [part for part in request.path.split("/") if part][1:]
    handler = _HANDLERS.get((request.method, segments[0])) if segments else None
    try:
        if handler is None:
            raise _UnknownError
        body = request.json()
        with sandbox.org.lock:
            found = handler(sandbox, request, segments[1:], {} if body is None else body)
        return as_json(200, found)
    except _UnknownError:
        return as_json(404, {"error": f"no {request.method} {request.path}"})
    except _REFUSED as error:
        return as_json(400, {"error": str(error)})
    except (LookupError, TypeError, ValueError, AttributeError, ApiError) as error:
        return as_json(400, {"error": f"{type(error).__name__}: {error}"})


def _health(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return {"status": "ok", "url": sandbox.url, "latency_ms": sandbox.front.latency_ms}


def _reset(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    sandbox.org.reset()
    return {}


def _latency(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    sandbox.front.latency_ms = float(body["ms"])
    return {"ms": sandbox.front.latency_ms}


def _stats(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    org = sandbox.org
    key_field = request.query.get("key_field", org.store.key_field)
    tasks = org.store.tables["Task"].rows.values()
    keys = Counter(row[key_field] for row in tasks if row.get(key_field))
    alive = Counter(row[key_field] for row in tasks if row.get(key_field) and not row["IsDeleted"])
    return {
        "calls": dict(org.log.calls),
        "api_calls": org.log.api_calls,
        "token_calls": org.log.token_calls,
        "rows_written": dict(org.store.rows_written),
        "rows": {name: len(table.rows) for name, table in org.store.tables.items()},
        "keys": dict(keys),
        "duplicates": sorted(key for key, count in alive.items() if count > 1),
    }


def _commits(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    since = int(request.query.get("since", "0"))
    return [
        {
            "number": number,
            "object": one.object,
            "id": one.id,
            "key": one.key,
            "operation": one.operation,
            "at_ms": one.at_ms,
        }
        for number, one in enumerate(sandbox.org.store.commits[since:], start=since + 1)
    ]


def _requests(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return sandbox.org.log.since(int(request.query.get("since", "0")))


def _type(org: Org, name: str) -> SObjectType:
    if name not in org.schema.types:
        raise edits.UnknownRowError(f"unknown object {name}")
    return org.schema.types[name]


def _rows(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    org = sandbox.org
    sobject = _type(org, rest[0])
    rows = org.store.tables[sobject.name].rows
    if len(rest) == 1:
        return list(rows.values())
    if rest[1] not in rows:
        raise edits.UnknownRowError(f"no {sobject.name} with id {rest[1]}")
    return rows[rest[1]]


def _insert(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    org = sandbox.org
    sobject = _type(org, rest[0])
    made = [edits.insert(org, sobject, row, _editor(org)) for row in (body if isinstance(body, list) else [body])]
    return made if isinstance(body, list) else made[0]


def _edit(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    org = sandbox.org
    return edits.update(org, _type(org, rest[0]), rest[1], body, _editor(org))


def _delete(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    org = sandbox.org
    return edits.delete(org, _type(org, rest[0]), rest[1], _editor(org))


def _editor(org: Org) -> str:
    """Somebody who works in the CRM: the first active user who is no client's Access User."""
    access_users = {client.user_id for client in org.oauth.clients.values()}
    users = list(org.store.tables["User"].rows.values())
    people = [user["Id"] for user in users if user.get("IsActive") and user["Id"] not in access_users]
    return str((people or [user["Id"] for user in users])[0])


def _faults(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return sandbox.org.faults.describe()


def _add_fault(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    fault = sandbox.org.faults.add(body)
    answer = fault.describe()
    if fault.kind == "instance_url_moves" and fault.draw():
        answer["instance_url"] = sandbox.move()
    return answer


def _remove_faults(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return {"removed": sandbox.org.faults.remove(int(rest[0]) if rest else None)}


def _schema(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return schema_changes.describe(sandbox.org)


def _change_schema(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    schema_changes.apply(sandbox.org, body)
    return schema_changes.describe(sandbox.org)


def _install(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    return {"fields": package.install(sandbox.org, body["zip"], bool(body.get("assigned", True)))}


def _register(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    """A client, or what is new about one that exists. `callback_urls` null: any of this machine's."""
    org = sandbox.org
    old = org.oauth.clients.get(body["client_id"])
    user = body.get("user_id") or (old.user_id if old else _access_user(org))
    secret = body.get("client_secret") or (old.secret if old else "")
    client = Client(body["client_id"], secret, user, body.get("public_key"))
    callbacks = body.get("callback_urls", old.callback_urls if old else None)
    client.callback_urls = None if callbacks is None else tuple(str(url) for url in callbacks)
    client.scopes = tuple(body.get("scopes") or (old.scopes if old else client.scopes))
    org.oauth.clients[client.id] = client
    return {"client_id": client.id, "user_id": client.user_id}


def _access_user(org: Org) -> str:
    return next(iter(org.oauth.clients.values())).user_id


def _refresh_token(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    """A refresh token as a log-in in the browser would have given it."""
    org = sandbox.org
    client_id = body.get("client_id") or next(iter(org.oauth.clients))
    user_id = body.get("user_id") or org.oauth.clients[client_id].user_id
    return {"refresh_token": org.oauth.new_refresh_token(client_id, user_id)}


def _expire(sandbox: "RunningSandbox", request: Request, rest: list[str], body: Any) -> Any:
    """End all sessions; with `refresh_tokens`, those as well."""
    sandbox.org.oauth.expire_all()
    if body.get("refresh_tokens"):
        sandbox.org.oauth.refresh_tokens.clear()
    return {}


_HANDLERS: dict[tuple[str, str], Callable[["RunningSandbox", Request, list[str], Any], Any]] = {
    ("GET", "health"): _health,
    ("POST", "reset"): _reset,
    ("PATCH", "latency"): _latency,
    ("GET", "stats"): _stats,
    ("GET", "commits"): _commits,
    ("GET", "requests"): _requests,
    ("GET", "objects"): _rows,
    ("POST", "objects"): _insert,
    ("PATCH", "objects"): _edit,
    ("DELETE", "objects"): _delete,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _remove_faults,
    ("GET", "schema"): _schema,
    ("PATCH", "schema"): _change_schema,
    ("POST", "package"): _install,
    ("POST", "clients"): _register,
    ("POST", "tokens"): _refresh_token,
    ("DELETE", "tokens"): _expire,
}
