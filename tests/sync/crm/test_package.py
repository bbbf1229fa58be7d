"""The package of custom fields: what is in it, equal bytes, and its version as describe tells it (M7)."""

import io
import zipfile
from xml.etree import ElementTree

import pytest

from sync.crm import package
from sync.crm.package import PACKAGE_FIELDS, PACKAGE_VERSION, PERMISSION_SET, package_files, package_zip, version_in
from sync.crm.task_fields import KEY_FIELD, KEY_LENGTH, SLOT_FIELDS

_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
NAMES = ["Play_Name__c", "Play_Step__c", "Playbooks_Key__c"]


def document(path: str) -> ElementTree.Element:
    return ElementTree.fromstring(package_files()[path])


def values(element: ElementTree.Element) -> dict[str, str]:
    return {part.tag.removeprefix(_NAMESPACE): part.text or "" for part in element}


def fields() -> dict[str, dict[str, str]]:
    found = [values(each) for each in document("objects/Activity.object").iter(f"{_NAMESPACE}fields")]
    return {each["fullName"]: each for each in found}


def test_m7_it_holds_fields_and_a_permission_set_and_nothing_else() -> None:
    with zipfile.ZipFile(io.BytesIO(package_zip())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "objects/Activity.object",
            "package.xml",
            f"permissionsets/{PERMISSION_SET}.permissionset",
        ]
        assert {name: archive.read(name).decode() for name in archive.namelist()} == package_files()
    assert {each.tag for each in document("objects/Activity.object")} == {f"{_NAMESPACE}fields"}


def test_m7_the_manifest_names_what_is_in_it() -> None:
    types = {
        each.findtext(f"{_NAMESPACE}name"): [member.text for member in each.findall(f"{_NAMESPACE}members")]
        for each in document("package.xml").findall(f"{_NAMESPACE}types")
    }
    assert types == {"CustomField": [f"Activity.{name}" for name in NAMES], "PermissionSet": [PERMISSION_SET]}


def test_m7_the_key_is_an_external_id_and_unique_and_has_room() -> None:
    key = fields()[KEY_FIELD]
    assert (key["externalId"], key["unique"], key["caseSensitive"], key["type"]) == ("true", "true", "false", "Text")
    assert int(key["length"]) >= KEY_LENGTH
    others = [each for name, each in fields().items() if name != KEY_FIELD]
    assert {(each["externalId"], each["unique"], each["length"]) for each in others} == {("false", "false", "255")}


def test_m7_the_names_are_those_that_are_sent_and_each_is_explained() -> None:
    assert sorted(fields()) == NAMES == sorted(SLOT_FIELDS[field.slot] for field in PACKAGE_FIELDS)
    for field in fields().values():
        # What Salesforce takes at most.
        assert 0 < len(field["description"]) <= 1000
        assert 0 < len(field["inlineHelpText"]) <= 510
        assert (field["required"], 0 < len(field["label"]) <= 40) == ("false", True)


def test_m7_the_permission_set_names_each_field_for_task_and_event() -> None:
    root = document(f"permissionsets/{PERMISSION_SET}.permissionset")
    granted = [values(each) for each in root.findall(f"{_NAMESPACE}fieldPermissions")]
    assert sorted(each["field"] for each in granted) == sorted(
        f"{entity}.{name}" for entity in ("Task", "Event") for name in NAMES
    )
    assert {(each["readable"], each["editable"]) for each in granted} == {("true", "true")}
    assert {each.tag.removeprefix(_NAMESPACE) for each in root} == {
        *("description", "fieldPermissions", "hasActivationRequired", "label")
    }


def test_two_files_of_one_version_are_the_same() -> None:
    assert package_zip() == package_zip()


def test_m7_describe_tells_the_version_by_the_help_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [version_in(each["inlineHelpText"]) for each in fields().values()] == [PACKAGE_VERSION] * 3
    before = package_zip()
    monkeypatch.setattr(package, "PACKAGE_VERSION", 12)
    assert [version_in(each["inlineHelpText"]) for each in fields().values()] == [12] * 3
    assert package_zip() != before


@pytest.mark.parametrize(
    ("help_text", "version"),
    [
        ("", None),
        ("The play.", None),
        ("The play. (Playbooks package 3)", 3),
        ("The play. (Playbooks package 3) ", 3),
        ("(Playbooks package 3) was here", None),
        ("The play. (Playbooks package 3x)", None),
    ],
)
def test_a_help_text_that_somebody_wrote_tells_no_version(help_text: str, version: int | None) -> None:
    assert version_in(help_text) == version
