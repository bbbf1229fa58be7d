"""`python -m playbooks.demo [--once]`."""

import argparse
import json
import sys
from pathlib import Path

from playbooks.children import Children
from playbooks.demo.company import CRM
from playbooks.demo.installation import RunningAlreadyError, enter, free_ports, fresh_directory
from playbooks.demo.waiting import TooLongError, answers, wait_until
from sandbox.seed import CLIENT_ID, CLIENT_SECRET

# What a Salesforce org takes for a call is seldom less.
LATENCY_MS = 150


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Reps complete tasks, and one watches them arrive in a stand-in for Salesforce over real HTTP.",
    )
    parser.add_argument(
        "--once", action="store_true", help="end afterwards; status 0 only if every task arrived as it should"
    )
    return parser.parse_args()


def _play(children: Children, directory: Path, once: bool) -> int:
    crm_port, web_port = free_ports(2)
    crm_url = f"http://127.0.0.1:{crm_port}"
    data = directory / "crm.json"
    data.write_text(json.dumps(CRM, indent=1))
    enter(directory, web_port, crm_url, CLIENT_ID, CLIENT_SECRET)
    sandbox = [sys.executable, "-m", "sandbox", "--port", str(crm_port), "--latency-ms", str(LATENCY_MS)]
    children.start("sandbox", [*sandbox, "--data", str(data)], log=directory / "sandbox.log")
    wait_until(lambda: answers(f"{crm_url}/sandbox/health"), "starting the sandbox", 30, children)

    import django  # noqa: PLC0415 - Django reads the environment that was entered above

    django.setup()
    from playbooks.demo.show import show  # noqa: PLC0415 - its models need Django

    return show(children, directory, crm_url, web_port, once=once)


def main() -> int:
    once = _arguments().once
    try:
        # The children end before the directory is given to somebody else.
        with fresh_directory() as directory, Children() as children:
            return _play(children, directory, once)
    except RunningAlreadyError:
        print("A demo is running already; end it first (Ctrl-C).", file=sys.stderr)
    except TooLongError as error:
        print(f"The demo cannot go on. {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130 if once else 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
