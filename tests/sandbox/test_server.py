import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
import requests

from clients import simple_salesforce_check
from sandbox.control import SandboxControl
from sandbox.messages import Request
from sandbox.server import RunningSandbox, start
from tests.sandbox.api import Api, ask_token, collection, keyed

ROOT = Path(__file__).resolve().parents[2]
UPSERT = "/services/data/v62.0/composite/sobjects/Task/Playbooks_Key__c"


def address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def test_many_calls_on_one_connection(sandbox: SandboxControl, api: Api) -> None:
    connection = http.client.HTTPConnection(*address(sandbox.url), timeout=10)
    connection.connect()
    opened = connection.sock
    for _ in range(3):
        connection.request("GET", "/services/data")
        assert connection.getresponse().read() != b""
    assert connection.sock is opened
    connection.close()


def test_gzip_both_ways(sandbox: SandboxControl, api: Api) -> None:
    body = gzip.compress(json.dumps(collection(keyed(200))).encode())
    answer = api.session.patch(f"{sandbox.url}{UPSERT}", data=body, headers={"Content-Encoding": "gzip"}, timeout=10)
    assert (len(answer.json()), answer.headers["Content-Encoding"]) == (200, "gzip")
    plain = api.query("SELECT Id FROM Task", headers={"Accept-Encoding": "identity"})
    assert (len(plain.json()["records"]), "Content-Encoding" in plain.headers) == (200, False)


def test_a_body_that_is_no_gzip(api: Api) -> None:
    answer = api.session.post(
        f"{api.base}/sobjects/Task", data=b"plain", headers={"Content-Encoding": "gzip"}, timeout=10
    )
    assert answer.status_code == 400


def test_a_body_in_chunks(sandbox: SandboxControl, api: Api) -> None:
    body = json.dumps(collection(keyed(3))).encode()
    pieces = iter([body[:10], body[10:]])
    answer = api.session.patch(f"{sandbox.url}{UPSERT}", data=pieces, timeout=10)
    assert [result["created"] for result in answer.json()] == [True] * 3


def test_a_client_killed_while_it_sends_writes_nothing(sandbox: SandboxControl, api: Api) -> None:
    body = json.dumps(collection(keyed(2))).encode()
    head = (
        f"PATCH {UPSERT} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: {api.session.headers['Authorization']!s}\r\n"
        f"Content-Length: {len(body) + 1}\r\n\r\n"
    )
    with socket.create_connection(address(sandbox.url), timeout=10) as client:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert sandbox.stats()["rows"]["Task"] == 0


def test_a_client_that_does_not_wait_is_written_for(api: Api, sandbox: SandboxControl) -> None:
    sandbox.add_fault("answer_late", ms=50)
    body = json.dumps(collection(keyed(2))).encode()
    connection = http.client.HTTPConnection(*address(sandbox.url), timeout=10)
    headers = {"Authorization": str(api.session.headers["Authorization"])}
    connection.request("PATCH", UPSERT, body, headers)
    connection.close()
    deadline = time.monotonic() + 5
    while sandbox.stats()["rows"]["Task"] < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sandbox.stats()["keys"] == {"key-0": 1, "key-1": 1}


def test_latency_does_not_hold_others_up() -> None:
    with start(latency_ms=500) as running:
        clients = [Api(running.url) for _ in range(8)]
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda client: client.get("/limits").status_code, clients))
        took = time.monotonic() - began
    assert answers == [200] * 8
    assert 0.5 <= took < 8 * 0.5


def test_half_of_the_latency_follows_the_commit() -> None:
    with start(latency_ms=300) as running:
        api = Api(running.url)
        began = time.time() * 1000
        api.upsert(keyed(1))
        ended = time.time() * 1000
        (commit,) = running.control.commits()
    assert commit["at_ms"] - began >= 150
    assert ended - commit["at_ms"] >= 150


def test_two_sandboxes_share_nothing() -> None:
    with start() as one, start() as other:
        Api(one.url).upsert(keyed(1))
        assert (one.control.stats()["keys"], other.control.stats()["keys"]) == ({"key-0": 1}, {})
        assert one.url != other.url


def test_a_stopped_sandbox_refuses_connections() -> None:
    running = start()
    running.stop()
    with pytest.raises(requests.ConnectionError):
        ask_token(running.url)


def cpu_milliseconds(running: RunningSandbox, api: Api, path: str, method: str = "GET", body: bytes = b"") -> float:
    """What the sandbox alone spends on a call, without a socket and a client."""
    headers = {"authorization": str(api.session.headers["Authorization"])}
    request = Request(method, path, headers, body, running.url)
    began = time.thread_time()
    answer = running.front.serve(request)
    spent = (time.thread_time() - began) * 1000
    assert answer.status == 200
    return spent


def test_a_look_up_by_key_does_not_search_everything(
    running_sandbox: RunningSandbox, sandbox: SandboxControl, api: Api
) -> None:
    sandbox.add_all("Task", keyed(20_000))
    query = "/services/data/v62.0/query?q=SELECT+Id+FROM+Task+WHERE+"
    by_key = min(cpu_milliseconds(running_sandbox, api, f"{query}Playbooks_Key__c='key-7'") for _ in range(3))
    by_subject = min(cpu_milliseconds(running_sandbox, api, f"{query}Subject='Call+7'") for _ in range(3))
    assert by_key * 3 < by_subject


def test_simple_salesforce_works_against_it(sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    assert simple_salesforce_check.main(sandbox.url) == 0, capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"objects": {"Account": [{"Name": "From the file"}]}}))
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        words, _, url = line.strip().rpartition(" ")
        assert words == "Sandbox Salesforce at"
        api = Api(url)
        assert api.column("SELECT Name FROM Account") == ["From the file"]
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_the_command_says_how_to_log_in() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    flat = " ".join(shown.split())
    assert "client id sandbox-client and client secret sandbox-secret" in flat


@pytest.mark.parametrize("latency", ["-1", "soon"])
def test_the_command_refuses_a_latency_that_is_none(latency: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", f"--latency-ms={latency}"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=20).returncode == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"object": {}}', '{"objects": {"Task": [{"Nothing": 1}]}}'])
def test_the_command_refuses_a_wrong_data_file(content: str, tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text(content)
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"The sandbox cannot start: {data}: ")


def test_twenty_clients_at_once(sandbox: SandboxControl) -> None:
    threads = [Thread(target=lambda: Api(sandbox.url).get("/limits")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.stats()["calls"]["GET limits"] == 20
