"""What exists: the version list, global describe and the describe of one type, in Salesforce's shape."""

from typing import Any

from sandbox.org import VERSIONS
from sandbox.rest.call import Call, Response
from sandbox.schema import Field, SObjectType

_SOAP = {"boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double", "currency": "xsd:double"}
_SOAP |= {
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "id": "tns:ID",
    "reference": "tns:ID",
}
_RELEASES = {
    "60.0": "Spring '24",
    "61.0": "Summer '24",
    "62.0": "Winter '25",
    "63.0": "Spring '25",
    "64.0": "Summer '25",
}


def versions() -> Response:
    """`GET /services/data`, which needs no session."""
    return Response(
        200,
        [{"label": _RELEASES[one], "url": f"/services/data/v{one}", "version": one} for one in VERSIONS],
    )


def resources(call: Call) -> Response:
    """`GET /services/data/vNN.0`."""
    names = ("limits", "sobjects", "query", "queryAll", "composite")
    return Response(200, {name: f"{call.base}/{name}" for name in names})


def everything(call: Call) -> Response:
    """`GET /sobjects`."""
    call.allow("GET")
    types = [_summary(call, sobject) for sobject in call.org.schema.visible_types()]
    return Response(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": types})


def basics(call: Call, sobject: SObjectType) -> Response:
    """`GET /sobjects/<Type>`."""
    return Response(200, {"objectDescribe": _summary(call, sobject), "recentItems": []})


def one(call: Call, sobject: SObjectType) -> Response:
    """`GET /sobjects/<Type>/describe`."""
    call.allow("GET")
    described = _summary(call, sobject)
    described["fields"] = [_field(field) for field in sobject.visible_fields()]
    described["childRelationships"] = []
    described["recordTypeInfos"] = []
    described["supportedScopes"] = []
    return Response(200, described)


def _summary(call: Call, sobject: SObjectType) -> dict[str, Any]:
    can = call.org.schema.permissions[sobject.name]
    return {
        "activateable": False,
        "createable": sobject.createable and can.create,
        "custom": False,
        "customSetting": False,
        "deletable": sobject.deletable and can.delete,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": sobject.key_prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": True,
        "mergeable": sobject.name in ("Account", "Contact", "Lead", "Case"),
        "mruEnabled": True,
        "name": sobject.name,
        "queryable": sobject.queryable,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": sobject.deletable and can.delete,
        "updateable": sobject.updateable and can.edit,
        "urls": {
            "sobject": f"{call.base}/sobjects/{sobject.name}",
            "describe": f"{call.base}/sobjects/{sobject.name}/describe",
            "rowTemplate": f"{call.base}/sobjects/{sobject.name}/{{ID}}",
        },
    }


def _field(field: Field) -> dict[str, Any]:
    text = field.type not in _SOAP
    return {
        "aggregatable": field.sortable,
        "autoNumber": field.name == "CaseNumber",
        "byteLength": field.length * 3 if text else field.length,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default,
        "defaultedOnCreate": field.defaulted,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "externalId": field.external_id,
        "filterable": field.filterable,
        "groupable": field.sortable,
        "htmlFormatted": False,
        "idLookup": field.id_lookup or field.external_id,
        "inlineHelpText": field.help_text or None,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.polymorphic,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [
            {
                "active": value.active,
                "defaultValue": value.default,
                "label": value.value,
                "validFor": None,
                "value": value.value,
            }
            for value in field.values
        ],
        "polymorphicForeignKey": field.polymorphic,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.references),
        "relationshipName": field.relationship,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }
