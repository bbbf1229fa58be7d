"""The custom fields of an org's Task as a package for Salesforce's Metadata API: fields and a permission set. Pure.

Custom Task fields belong to Activity, which Task and Event share: they are described in objects/Activity.object, while
a permission set names them twice, as fields of Task and of Event. The texts are not translated: they end up in the
org, and two downloads of one version must be the same file.
"""

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from sync.crm.task_fields import SLOT_FIELDS
from sync.enums import Slot

# Counts up with every change of what the package installs. `describe` shows of it what stands in the help texts.
PACKAGE_VERSION = 1
METADATA_API_VERSION = "62.0"
PERMISSION_SET = "Playbooks_CRM_Sync"
# Salesforce's command line looks for package.xml at the top, or in the only folder there is.
FILE_NAME = f"playbooks-crm-sync-fields-{PACKAGE_VERSION}.zip"

_MARK = re.compile(r"\(Playbooks package (\d{1,6})\)\s*$")
_BEGAN = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


@dataclass(frozen=True, slots=True)
class PackageField:
    """A Text field on Activity. `description` is for admins, `help_text` for whoever looks at a Task."""

    slot: Slot
    name: str
    label: str
    length: int
    description: str
    help_text: str
    is_key: bool = False

    @property
    def marked_help_text(self) -> str:
        """The help text with the package's version at its end: all that `describe` shows of where a field is from."""
        return f"{self.help_text} (Playbooks package {PACKAGE_VERSION})"


PACKAGE_FIELDS = (
    PackageField(
        Slot.KEY,
        SLOT_FIELDS[Slot.KEY],
        "Playbooks Key",
        64,
        "The key of the task in Playbooks. Playbooks finds its Tasks by it, so that a retry never makes a second one. "
        "Leave External ID and Unique on. Keys are lower-case letters and digits: letter case makes no difference.",
        "Set by Playbooks. Please leave it as it is.",
        is_key=True,
    ),
    PackageField(
        Slot.PLAY_NAME,
        SLOT_FIELDS[Slot.PLAY_NAME],
        "Play Name",
        255,
        "The play that the task belongs to in Playbooks; blank for ad hoc tasks.",
        "The play in Playbooks that this task belongs to.",
    ),
    PackageField(
        Slot.PLAY_STEP,
        SLOT_FIELDS[Slot.PLAY_STEP],
        "Play Step",
        255,
        "The step of the play that was completed in Playbooks; blank for ad hoc tasks.",
        "The step of the play that was completed.",
    ),
)


def package_zip() -> bytes:
    """Return the zip that `sf project deploy start --metadata-dir FILE` takes; equal bytes for an equal version."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in sorted(package_files().items()):
            entry = zipfile.ZipInfo(name, date_time=_BEGAN)
            # As though made on Unix, wherever it is made. Stored as it is: compressors differ between versions.
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, text.encode())
    return out.getvalue()


def package_files() -> dict[str, str]:
    """Return the package's files by their paths."""
    return {
        "package.xml": _manifest(),
        "objects/Activity.object": _activity(),
        f"permissionsets/{PERMISSION_SET}.permissionset": _permission_set(),
    }


def version_in(help_text: str) -> int | None:
    """Return which version of the package wrote a field's help text; None when none did, or somebody rewrote it."""
    found = _MARK.search(help_text)
    return int(found[1]) if found else None


def _manifest() -> str:
    fields = "".join(_tag("members", f"Activity.{name}", 8) for name in sorted(field.name for field in PACKAGE_FIELDS))
    return _document(
        "Package",
        f"    <types>\n{fields}{_tag('name', 'CustomField', 8)}    </types>\n"
        f"    <types>\n{_tag('members', PERMISSION_SET, 8)}{_tag('name', 'PermissionSet', 8)}    </types>\n"
        + _tag("version", METADATA_API_VERSION),
    )


def _activity() -> str:
    return _document("CustomObject", "".join(_field(each) for each in sorted(PACKAGE_FIELDS, key=lambda f: f.name)))


def _field(field: PackageField) -> str:
    pairs = [
        ("fullName", field.name),
        ("description", field.description),
        ("externalId", _bool(field.is_key)),
        ("inlineHelpText", field.marked_help_text),
        ("label", field.label),
        ("length", str(field.length)),
        ("required", "false"),
        ("type", "Text"),
        ("unique", _bool(field.is_key)),
    ]
    if field.is_key:
        # Unique whatever the letter case, as External IDs are compared; only a unique field may say so.
        pairs.insert(1, ("caseSensitive", "false"))
    return _element("fields", pairs)


def _permission_set() -> str:
    names = sorted(f"{entity}.{field.name}" for entity in ("Event", "Task") for field in PACKAGE_FIELDS)
    permissions = (
        _element("fieldPermissions", [("editable", "true"), ("field", n), ("readable", "true")]) for n in names
    )
    return _document(
        "PermissionSet",
        _tag("description", "Lets the Access User of Playbooks read and write the fields of its Tasks. Nothing else.")
        + "".join(permissions)
        + _tag("hasActivationRequired", "false")
        + _tag("label", "Playbooks CRM Sync"),
    )


def _document(root: str, inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">\n{inner}</{root}>\n'


def _element(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    return f"    <{name}>\n{''.join(_tag(tag, text, 8) for tag, text in pairs)}    </{name}>\n"


def _tag(name: str, text: str, indent: int = 4) -> str:
    return f"{' ' * indent}<{name}>{escape(text)}</{name}>\n"


def _bool(value: bool) -> str:
    return "true" if value else "false"
