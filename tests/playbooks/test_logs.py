"""What leaves the process through logging, with real libraries and real failures."""

import io
import json
import logging
import logging.config
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from playbooks.logs import JsonLine, TextLine, logging_config
from sync.redaction import REMOVED

SESSION = "00D5g000004ABCDEAU!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL_QJWwYMf"
CONTENT = "Ann wants a rebate"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that the root logger writes as JSON at DEBUG, parsed."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


logger = logging.getLogger("tests.logs")


def test_a_line_says_who_what_and_where(lines: Callable[[], list[dict[str, Any]]]) -> None:
    task, row = uuid.uuid4(), uuid.uuid4()
    logger.info(
        "task %s",
        "written",
        extra={
            "task": task,
            "row": str(row),
            "attempt": 7,
            "crm_request_id": "TID:1",
            "connection": "c",
            "http_status": 200,
            "error_code": None,
            "duration_ms": 12.5,
        },
    )
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "tests.logs",
        "message": "task written",
        "task": str(task),
        "row": str(row),
        "attempt": 7,
        "connection": "c",
        "crm_request_id": "TID:1",
        "http_status": 200,
        "duration_ms": 12.5,
    }


def test_extra_fields_that_nobody_vouched_for_are_left_out_and_named(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    logger.info("x", extra={"subject": CONTENT, "body": CONTENT, "payload": {"a": CONTENT}, "task": "t"})
    (line,) = lines()
    assert line["left_out"] == ["body", "payload", "subject"]
    assert line["task"] == "t"
    assert CONTENT not in json.dumps(line)


def test_a_field_that_is_no_plain_value_shows_its_type(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logger.info("x", extra={"task": {"subject": CONTENT}})
    assert lines()[0]["task"] == "dict"


@pytest.mark.parametrize(
    ("message", "arguments", "expected"),
    [
        ("%s", (ValueError(CONTENT),), "ValueError"),
        ("sent %s", ({"Subject": CONTENT, "Status": "x"},), f"sent {{'Subject': {REMOVED}, 'Status': 'x'}}"),
        ("token=%s", (SESSION,), f"token={REMOVED}"),
        (IntegrityError(CONTENT), (), "django.db.utils.IntegrityError"),
        ("50% of all", (), "50% of all"),
    ],
)
def test_messages(
    lines: Callable[[], list[dict[str, Any]]], message: Any, arguments: tuple[Any, ...], expected: str
) -> None:
    logger.info(message, *arguments)
    assert lines()[0]["message"] == expected


def test_arguments_that_do_not_fit_are_not_shown() -> None:
    """Python itself would print them to the standard error."""
    record = logging.makeLogRecord({"msg": "%d rows", "args": (CONTENT,)})
    assert json.loads(JsonLine().format(record))["message"] == "%d rows (its arguments don't fit)"


def test_the_installations_own_secrets_are_known(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with override_settings(SALESFORCE_CLIENT_SECRET="opaque-and-long"):
        try:
            raise ImportError("opaque-and-long")
        except ImportError:
            logger.exception("with opaque-and-long", extra={"error_code": "opaque-and-long"})
    (line,) = lines()
    assert (line["message"], line["error_code"]) == (f"with {REMOVED}", REMOVED)
    assert line["exception"].splitlines()[-1] == f"ImportError: {REMOVED}"


def test_a_traceback_that_another_handler_has_printed_already_is_not_taken_over(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    """logging caches the printed traceback on the record."""
    other = logging.StreamHandler(io.StringIO())
    logging.getLogger().handlers.insert(0, other)
    content = CONTENT
    try:
        raise ValueError(content)
    except ValueError:
        logger.exception("failed")
    finally:
        logging.getLogger().removeHandler(other)
    assert CONTENT not in json.dumps(lines())
    assert lines()[0]["exception"].splitlines()[-1] == "ValueError"


class Refusing(BaseHTTPRequestHandler):
    """Answers as a CRM does that quotes what it was sent."""

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        body = json.dumps([{"message": f"bad: {sent} {self.path}", "errorCode": "MALFORMED_QUERY"}]).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the parent calls them so

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


@pytest.fixture
def refusing_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Plain(requests.Session):
    """simple-salesforce knows https only."""

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        return super().request(method, str(url).replace("https://", "http://"), *args, **kwargs)


def test_simple_salesforce_and_urllib3_say_nothing_private(
    lines: Callable[[], list[dict[str, Any]]], refusing_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("urllib3", "urllib3.connectionpool", "requests", "simple_salesforce"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    with Plain() as session:
        salesforce = Salesforce(
            instance_url=refusing_server.replace("http", "https"), session_id=SESSION, session=session
        )
        soql = f"SELECT Id FROM Task WHERE Subject = '{CONTENT}'"
        task = {"Subject": CONTENT}
        for call in (
            partial(salesforce.restful, "sobjects/Task", method="POST", json=task),
            partial(salesforce.query, soql),
        ):
            with pytest.raises(SalesforceError, match=r"Ann.wants.a.rebate") as caught:
                call()
            logger.error("failed: %s", caught.value, exc_info=caught.value)
    told = json.dumps(lines())
    assert [line["logger"] for line in lines()].count("urllib3.connectionpool") >= 2
    assert [line["logger"] for line in lines()].count("tests.logs") == 2
    for private in ("Ann", "rebate", SESSION, "SELECT"):
        assert private not in told
    assert "SalesforceMalformedRequest" in told


def test_requests_exceptions_say_nothing_private(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with pytest.raises(requests.ConnectionError, match="Ann") as caught:
        requests.get(f"http://127.0.0.1:1/query?q={CONTENT}", timeout=1)
    logger.error("no answer: %s", caught.value, exc_info=caught.value)
    logger.error(caught.value)
    told = [line for line in lines() if line["logger"] == "tests.logs"]
    assert [line["message"] for line in told] == [
        "no answer: requests.exceptions.ConnectionError",
        "requests.exceptions.ConnectionError",
    ]
    assert "Ann" not in json.dumps(lines())


def boom(_request: HttpRequest) -> HttpResponse:
    private = CONTENT
    raise ValueError(private)


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [path("boom/", boom), path("refuse/", refuse)]


@pytest.mark.urls("tests.playbooks.test_logs")
@pytest.mark.django_db
def test_a_refusal_is_one_line_without_a_traceback(lines: Callable[[], list[dict[str, Any]]]) -> None:
    assert Client().get("/refuse/").status_code == 403
    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert (line["message"], line["http_status"], "exception" in line) == (
        "Forbidden (Permission denied): /refuse/",
        403,
        False,
    )


def test_the_secret_of_single_sign_on_is_known(lines: Callable[[], list[dict[str, Any]]]) -> None:
    providers = {"google": {"APPS": [{"client_id": "id", "secret": "opaque-and-long", "key": ""}]}}
    with override_settings(SOCIALACCOUNT_PROVIDERS=providers):
        logger.warning("with opaque-and-long")
    assert [line["message"] for line in lines()] == [f"with {REMOVED}"]


@pytest.mark.urls("tests.playbooks.test_logs")
@pytest.mark.django_db
def test_a_page_that_fails_shows_and_logs_nothing_private(lines: Callable[[], list[dict[str, Any]]]) -> None:
    client = Client(raise_request_exception=False)
    response = client.get("/boom/", {"q": CONTENT})
    assert response.status_code == 500
    assert CONTENT not in response.content.decode()
    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert line["message"] == "Internal Server Error: /boom/"
    assert line["http_status"] == 500
    assert line["exception"].splitlines()[-1] == "ValueError"
    assert "Ann" not in json.dumps(lines())


def test_django_sends_no_error_mails() -> None:
    """They hold the request and local variables."""
    handlers = [
        handler
        for name in ("", "django", "django.request", "django.server", "django.security")
        for handler in logging.getLogger(name).handlers
    ]
    assert {type(handler.formatter) for handler in handlers if type(handler) is logging.StreamHandler} <= {JsonLine}
    assert [type(h).__name__ for h in handlers if "Email" in type(h).__name__ or "Server" in type(h).__name__] == []


def test_gunicorns_lines_in_a_web_process_take_the_same_way() -> None:
    """As in a web process: gunicorn has made its handlers when Django configures logging."""
    found = logging.getLogger("gunicorn.error")
    before = (list(found.handlers), found.propagate)
    found.addHandler(logging.StreamHandler(io.StringIO()))
    found.propagate = False
    config = logging_config("INFO", "json")
    try:
        # The root's handlers belong to pytest, too: leave them as they are.
        logging.config.dictConfig({key: config[key] for key in ("version", "disable_existing_loggers", "loggers")})
        assert (found.handlers, found.propagate) == ([], True)
    finally:
        found.handlers, found.propagate = before


def test_text_lines_are_one_line_and_hold_the_same() -> None:
    record = logging.makeLogRecord(
        {
            "name": "a",
            "levelname": "INFO",
            "msg": f"one\ntwo token={SESSION}",
            "created": 0.25,
            "task": "t",
            "body": "b",
        }
    )
    assert TextLine().format(record) == f"00:00:00.250 INFO    a: one ⏎ two token={REMOVED}  task=t left_out=['body']"


@pytest.mark.parametrize(
    ("level", "loggers"),
    [
        ("DEBUG", {"urllib3": "INFO", "django-q": "WARNING", "django.db.backends": "INFO"}),
        ("INFO", {"urllib3": "INFO", "django-q": "WARNING", "django.db.backends": "INFO"}),
        ("ERROR", {"urllib3": "ERROR", "django-q": "ERROR", "django.db.backends": "ERROR"}),
    ],
)
def test_levels(level: str, loggers: dict[str, str]) -> None:
    config = logging_config(level, "json")
    assert config["root"]["level"] == level
    assert {name: config["loggers"][name]["level"] for name in loggers} == loggers
