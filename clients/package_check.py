"""`python -m clients.package_check`: have Salesforce's own command line read the package of custom fields, offline.

It converts the package to its source format and back, and what comes back must be what went in. Needs node and npm;
`npm ci` fetches the command line into var/ the first time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from sync.crm.package import METADATA_API_VERSION, PACKAGE_VERSION, package_files

_ROOT = Path(__file__).resolve().parent.parent
_HOME = _ROOT / "var" / "sf"
_SPEC = _ROOT / "clients" / "sf"
_SF = _HOME / "node_modules" / "@salesforce" / "cli" / "bin" / "run.js"
# It looks for updates and reports what it is used for, unless it is told not to.
_QUIET = {
    "SF_DISABLE_TELEMETRY": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "NODE_NO_WARNINGS": "1",
}
_PROJECT = '{"packageDirectories": [{"path": "source", "default": true}], "sourceApiVersion": "%s"}'

# An element's own text and its parts, in whatever order they stand.
Tree = tuple[str, str, tuple["Tree", ...]]


def main() -> int:
    """Exit status 0 when the package came back the same, 1 when it didn't, 2 when node is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("Salesforce's command line takes node (20 or newer) and npm.", file=sys.stderr)
        return 2
    _install(npm)
    with TemporaryDirectory() as folder:
        back = there_and_back(node, Path(folder))
    sent = {name: _tree(text) for name, text in package_files().items()}
    for name in sorted(sent.keys() | back.keys()):
        same = sent.get(name) == back.get(name)
        print(f"{'same     ' if same else 'DIFFERENT'}  {name}")
    print(f"Package {PACKAGE_VERSION}: {'came back as it was sent' if back == sent else 'came back otherwise'}.")
    return 0 if back == sent else 1


def there_and_back(node: str, project: Path) -> dict[str, Tree]:
    """Convert the package to source format and back in the folder `project`; return what came back."""
    (project / "sfdx-project.json").write_text(_PROJECT % METADATA_API_VERSION)
    (project / "source").mkdir()
    for name, text in package_files().items():
        file = project / "package" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    _sf(node, project, "project", "convert", "mdapi", "--root-dir", "package", "--output-dir", "source")
    _sf(node, project, "project", "convert", "source", "--root-dir", "source", "--output-dir", "back")
    back = project / "back"
    return {str(file.relative_to(back)): _tree(file.read_text()) for file in back.rglob("*") if file.is_file()}


def _install(npm: str) -> None:
    """Fetch what clients/sf/package-lock.json names, unless just that is there."""
    _HOME.mkdir(parents=True, exist_ok=True)
    lock = (_SPEC / "package-lock.json").read_bytes()
    installed = _HOME / "installed.json"
    if _SF.is_file() and installed.is_file() and installed.read_bytes() == lock:
        return
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_SPEC / name, _HOME / name)
    subprocess.run([npm, "ci"], cwd=_HOME, check=True)
    installed.write_bytes(lock)


def _sf(node: str, project: Path, *arguments: str) -> None:
    environment = {**os.environ, **_QUIET, "HOME": str(_HOME)}
    subprocess.run([node, str(_SF), *arguments], cwd=project, env=environment, check=True)


def _tree(text: str) -> Tree:
    return _branch(ElementTree.fromstring(text))


def _branch(element: ElementTree.Element) -> Tree:
    return element.tag, (element.text or "").strip(), tuple(sorted(_branch(part) for part in element))


if __name__ == "__main__":
    sys.exit(main())
