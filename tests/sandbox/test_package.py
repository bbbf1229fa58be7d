"""A package of custom fields, deployed as an admin would do it; and queries about the set-up."""

import io
import zipfile

import pytest

from sandbox.control import ControlError, SandboxControl
from tests.sandbox.api import Api, error_of

_ROOT = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
FIELDS = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Task'"


def package(editable: str = "true", **more: str) -> bytes:
    """One field, Mood__c, and a permission set for it."""
    values = {"fullName": "Mood__c", "label": "Mood", "length": "40", "type": "Text", "inlineHelpText": "Ours", **more}
    field = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    right = f"<editable>{editable}</editable><field>Task.Mood__c</field><readable>true</readable>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("objects/Activity.object", f"<CustomObject {_ROOT}><fields>{field}</fields></CustomObject>")
        archive.writestr(
            "permissionsets/Mood.permissionset",
            f"<PermissionSet {_ROOT}><fieldPermissions>{right}</fieldPermissions></PermissionSet>",
        )
    return out.getvalue()


def described(api: Api) -> dict[str, object] | None:
    fields = {field["name"]: field for field in api.get("/sobjects/Task/describe").json()["fields"]}
    return fields.get("Mood__c")


def test_its_fields_appear_on_task(sandbox: SandboxControl, api: Api) -> None:
    assert sandbox.install_package(package()) == ["Mood__c"]
    field = described(api)
    assert field is not None
    keys = ("label", "type", "length", "inlineHelpText", "createable", "externalId", "custom")
    assert [field[key] for key in keys] == ["Mood", "string", 40, "Ours", True, False, True]
    task = api.create("Task", Mood__c="fine")
    sandbox.install_package(package(length="80"))
    assert api.get(f"/sobjects/Task/{task}").json()["Mood__c"] == "fine"


def test_without_the_permission_set_nobody_sees_them(sandbox: SandboxControl, api: Api) -> None:
    sandbox.install_package(package(), assigned=False)
    assert described(api) is None
    sandbox.install_package(package(editable="false"))
    field = described(api)
    assert field is not None
    assert (field["createable"], field["updateable"]) == (False, False)


def test_a_unique_field_is_enforced(sandbox: SandboxControl, api: Api) -> None:
    sandbox.install_package(package(unique="true", externalId="true"))
    api.create("Task", Mood__c="fine")
    assert error_of(api.call("POST", "/sobjects/Task", {"Subject": "x", "Mood__c": "FINE"}))[1] == "DUPLICATE_VALUE"


def test_what_is_no_package_is_refused(sandbox: SandboxControl) -> None:
    with pytest.raises(ControlError):
        sandbox.install_package(b"no zip")


def test_field_definitions_list_hidden_fields_to_who_views_the_set_up(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": "Play_Name__c", "hidden": True}])
    rights = "SELECT PermissionsViewSetup FROM UserPermissionAccess"
    assert "Play_Name__c" not in api.column(FIELDS)
    assert api.column(rights) == [False]
    sandbox.change_schema(view_setup=True)
    assert "Play_Name__c" in api.column(FIELDS)
    assert (api.column(rights), sandbox.schema()["view_setup"]) == ([True], True)


def test_other_queries_for_them_are_refused(api: Api) -> None:
    assert error_of(api.query("SELECT Label FROM FieldDefinition"))[1] == "INVALID_TYPE"
    assert api.column(FIELDS.replace("'Task'", "'Nothing'")) == []
