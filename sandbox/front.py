"""The way of one request: latency and faults, who is asking, the call under the lock, and the answer."""

import secrets
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox import login
from sandbox.errors import ApiError, OAuthError, RowError, not_found
from sandbox.faults import ANSWER_KINDS, REQUEST_KINDS, Fault, Target
from sandbox.messages import Answer, Request, as_json, parsed
from sandbox.org import Org
from sandbox.requests_log import Received
from sandbox.rest import limits, routes
from sandbox.rest.call import Call, Page, Response, refuse_conditions
from sandbox.store import Transaction


class Front:
    """Answers everything but the control API, for one org at one latency."""

    def __init__(self, org: Org, latency_ms: float) -> None:
        self.org = org
        self.latency_ms = latency_ms

    def serve(self, request: Request) -> Answer:
        entry = Received(
            at_ms=time.time() * 1000,
            method=request.method,
            path=request.target,
            label=routes.label(request.method, request.path),
            body=request.logged_body(),
            request_id=secrets.token_hex(16),
        )
        self.org.log.count(entry, request.kind)
        target, body = parsed(request)
        answer = self._answer(request, target, body)
        entry.rows = len(target.records)
        entry.status = 0 if answer.dropped else answer.status
        self.org.log.add(entry)
        answer.headers["Sforce-Request-Id"] = entry.request_id
        answer.headers["Sforce-Limit-Info"] = limits.usage_header(self.org)
        return answer

    def _answer(self, request: Request, target: Target, body: Any) -> Answer:
        """Half of the latency passes before the commit and half after it."""
        faults = self.org.faults.draw(REQUEST_KINDS, target)
        extra = sum(float(one.params.get("ms", 0)) for one in faults if one.kind == "latency")
        pause = (self.latency_ms + extra) / 2000
        time.sleep(pause)
        instead: Answer | None = None
        for fault in faults:
            forced = self._forced(fault)
            if forced is not None and not fault.params.get("after_commit"):
                return forced
            instead = instead or forced
        response = self._processed(request, target, body)
        endings = self.org.faults.draw(ANSWER_KINDS, target)
        if any(one.kind == "drop_after_commit" for one in endings):
            return Answer(dropped=True)
        answer = instead or _ready(response)
        time.sleep(pause + sum(float(one.params.get("ms", 0)) for one in endings) / 1000)
        return answer

    def _forced(self, fault: Fault) -> Answer | None:
        """The answer that the fault gives instead of the real one."""
        if fault.kind == "drop_before_commit":
            return Answer(dropped=True)
        if fault.kind == "invalid_session":
            with self.org.lock:
                self.org.oauth.expire_all()
        if fault.kind == "http_error":
            return _http_error(fault.params)
        if fault.kind not in _ERRORS:
            return None
        status, code, message = _ERRORS[fault.kind]
        error = ApiError(status, fault.params.get("code", code), fault.params.get("message", message))
        return as_json(status, error.body())

    def _processed(self, request: Request, target: Target, body: Any) -> Response:
        """The call, committed as a whole or undone as a whole."""
        with self.org.lock:
            transaction = Transaction(self.org.store)
            try:
                if request.kind == "data":
                    response = self._data(request, transaction, body)
                else:
                    response = login.serve(self.org, request, target)
            except (ApiError, OAuthError) as error:
                response = Response(error.status, error.body())
            except RowError as error:
                response = Response(400, error.as_api_error().body())
            except Exception:  # noqa: BLE001 - a bug here must answer like a broken Salesforce, not hang up
                traceback.print_exc(file=sys.stderr)
                response = Response(500, ApiError(*_ERRORS["poison"]).body())
            else:
                transaction.commit()
                return response
            transaction.roll_back()
            return response

    def _data(self, request: Request, transaction: Transaction, body: Any) -> Response:
        org = self.org
        moved = org.instance_url is not None and org.instance_url != request.base_url
        session = None if moved else org.oauth.session(request.headers.get("authorization"))
        if session is None:
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if limits.used(org) > org.limits.daily_max:
            raise ApiError(*_ERRORS["limit_day"])
        parts = routes.split(request.path)
        if parts is None:
            raise not_found()
        if isinstance(body, ApiError):
            raise body
        refuse_conditions(request.headers)
        version, segments = parts
        path = [unquote(one) for one in segments]
        call = Call(
            org,
            transaction,
            session.user_id,
            request.method,
            version,
            path,
            request.query,
            body,
            request.headers,
        )
        return routes.dispatch(call)


_ERRORS = {
    "api_disabled": (403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
    "limit_day": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "limit_concurrent": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "poison": (
        500,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345",
    ),
}


def _ready(response: Response) -> Answer:
    if isinstance(response.body, Page):
        return Answer(response.status, response.body.encode(), "text/html;charset=UTF-8", dict(response.headers))
    return as_json(response.status, response.body, response.headers)


def _http_error(params: Mapping[str, Any]) -> Answer:
    """Any status with any body: text goes out as it is, everything else as JSON, nothing as nothing."""
    body = params.get("body")
    status = int(params.get("status", 503))
    if isinstance(body, str) or body is None:
        kind = params.get("content_type", "text/html;charset=UTF-8")
        return Answer(status, (body or "").encode(), kind)
    return as_json(status, body)
