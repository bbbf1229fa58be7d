"""`python -m sandbox`: serve until SIGINT or SIGTERM."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.seed import CLIENT_ID, CLIENT_SECRET, DataError
from sandbox.server import RunningSandbox


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 600_000:
        raise argparse.ArgumentTypeError("between 0 and 600000 milliseconds")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError("between 0 and 65535")
    return value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A stand-in for Salesforce over real HTTP.",
        epilog=f"Log in with client id {CLIENT_ID} and client secret {CLIENT_SECRET}. "
        "sandbox/README.md describes the data file and the control API under /sandbox/.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8787, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--latency-ms", type=_milliseconds, default=0, help="time that each call takes (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="JSON with the records of the org")
    parser.add_argument(
        "--public-key",
        type=Path,
        metavar="FILE",
        help=f"PEM public key of {CLIENT_ID}, for the JWT bearer grant",
    )
    return parser.parse_args()


def _data(file: Path | None) -> dict[str, Any] | None:
    """The data file's JSON; ValueError when it is no object."""
    if file is None:
        return None
    data = json.loads(file.read_text())
    if not isinstance(data, dict):
        raise DataError("a JSON object is needed")
    return data


def main() -> int:
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        data = _data(arguments.data)
        public_key = arguments.public_key.read_text() if arguments.public_key else None
        sandbox = RunningSandbox(arguments.port, arguments.latency_ms, data, public_key, arguments.host)
    except (OSError, ValueError) as error:
        where = f"{arguments.data}: " if isinstance(error, ValueError) and arguments.data else ""
        sys.stderr.write(f"The sandbox cannot start: {where}{error}\n")
        return 2
    sys.stdout.write(f"Sandbox Salesforce at {sandbox.url}\n")
    sys.stdout.flush()
    stop.wait()
    sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
