"""A Metadata API package deployed: its Activity fields appear on Task, visible by its permission set."""

import base64
import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from sandbox.objects.fields import make
from sandbox.schema import Field

if TYPE_CHECKING:
    from sandbox.org import Org

_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_TYPES = {"Text": "string", "LongTextArea": "textarea", "Number": "double", "Checkbox": "boolean", "Date": "date"}


def install(org: "Org", zipped: str, assigned: bool) -> list[str]:
    """Deploy a zip (in base64); return the fields' names. Without `assigned` they are hidden from the Access User.

    A field that is there already is replaced, and keeps its values.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(zipped, validate=True))) as archive:
            documents = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    except (zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise ValueError(f"this is no package: {error}") from error
    rights = {_text(each, "field"): each for name, root in documents.items() for each in _parts(name, root)}
    task = org.schema.types["Task"]
    made = [_field(element) for element in documents["objects/Activity.object"].iter(f"{_NAMESPACE}fields")]
    for field in made:
        granted = rights.get(f"Task.{field.name}")
        editable = granted is not None and _text(granted, "editable") == "true"
        task.put(field)
        task.change(field.name, createable=editable, updateable=editable)
        readable = granted is not None and _text(granted, "readable") == "true"
        task.set_hidden(field.name, not (assigned and readable))
    org.store.tables["Task"].reindex()
    return [field.name for field in made]


def _parts(name: str, root: ElementTree.Element) -> list[ElementTree.Element]:
    return root.findall(f"{_NAMESPACE}fieldPermissions") if name.startswith("permissionsets/") else []


def _field(element: ElementTree.Element) -> Field:
    key = _text(element, "externalId") == "true"
    return make(
        _text(element, "fullName"),
        _TYPES[_text(element, "type")],
        label=_text(element, "label"),
        length=int(_text(element, "length") or 0),
        external_id=key,
        id_lookup=key,
        unique=_text(element, "unique") == "true",
        case_sensitive=_text(element, "caseSensitive") == "true",
        help_text=_text(element, "inlineHelpText"),
    )


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{_NAMESPACE}{name}") or ""
