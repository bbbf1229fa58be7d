"""Creating, changing and deleting one row, with every check Salesforce makes, in its order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox import rules
from sandbox.clock import now_stamp
from sandbox.errors import RowError
from sandbox.ids import full_id
from sandbox.matching import holds
from sandbox.schema import Field, SObjectType
from sandbox.store import Row, Transaction
from sandbox.values import stored

if TYPE_CHECKING:
    from sandbox.org import Org

_DENIED = "insufficient access rights on object id"


class Writer:
    """Writes rows of one call as one user; `rows` is how many rows the call carries."""

    def __init__(self, org: "Org", transaction: Transaction, user_id: str, rows: int = 1) -> None:
        self.org = org
        self.transaction = transaction
        self.user_id = user_id
        self.rows = rows
        self.now = now_stamp()

    def create(self, sobject: SObjectType, body: Mapping[str, Any]) -> str:
        """Returns the new id; RowError when the row is refused."""
        self.org.faults.check_row(sobject.name, body, self.rows)
        if not sobject.createable or not self.org.schema.permissions[sobject.name].create:
            raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", _DENIED)
        values = self._values(sobject, body, creating=True)
        row: Row = {"Id": "", "IsDeleted": False}
        for field in sobject.fields.values():
            if field.default is not None:
                row[field.name] = field.default
        row |= {name: value for name, value in values.items() if value is not None}
        if "OwnerId" in sobject.fields:
            row.setdefault("OwnerId", self.user_id)
        self._require(sobject, row)
        row["CreatedDate"] = self.now
        row["CreatedById"] = self.user_id
        self._finish(sobject, row, values, None)
        row["Id"] = self.org.store.tables[sobject.name].new_id()
        self.transaction.put(sobject.name, row, "create")
        return str(row["Id"])

    def update(self, sobject: SObjectType, record: str, body: Mapping[str, Any]) -> None:
        self.org.faults.check_row(sobject.name, body, self.rows)
        before = self.existing(sobject, record)
        if not sobject.updateable or not self.org.schema.permissions[sobject.name].edit:
            raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", _DENIED)
        if sobject.name == "Lead" and before.get("IsConverted"):
            raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        values = self._values(sobject, body, creating=False)
        row = before | values
        if "WhoId" in values and "TaskWhoIds" not in values:
            row.pop("TaskWhoIds", None)
        self._require(sobject, row)
        self._finish(sobject, row, values, before)
        self.transaction.put(sobject.name, row, "update")

    def delete(self, sobject: SObjectType, record: str) -> None:
        """Into the recycle bin: only queryAll still sees the row."""
        self.org.faults.check_row(sobject.name, {"Id": record}, self.rows)
        before = self.existing(sobject, record)
        if not sobject.deletable or not self.org.schema.permissions[sobject.name].delete:
            raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", _DENIED)
        row = before | {"IsDeleted": True, "LastModifiedDate": self.now, "SystemModstamp": self.now}
        self.transaction.put(sobject.name, row, "delete")

    def existing(self, sobject: SObjectType, record: str) -> Row:
        """The row that is to be changed, or RowError for a wrong, unknown or deleted id."""
        known = full_id(record)
        if known is None or not known.startswith(sobject.key_prefix):
            message = f"{sobject.label} ID: id value of incorrect type: {record}"
            raise RowError("MALFORMED_ID", message, ["Id"])
        row = self.org.store.row(sobject.name, known)
        if row is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def _values(self, sobject: SObjectType, body: Mapping[str, Any], creating: bool) -> Row:
        values: Row = {}
        forbidden: list[str] = []
        for name, value in body.items():
            if name == "attributes":
                continue
            field = sobject.visible(name)
            if field is None:
                raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
            if field.name == "Id":
                self._refuse_id(creating)
            if not (field.createable if creating else field.updateable):
                forbidden.append(field.name)
            else:
                values[field.name] = self._value(sobject, field, value)
        if forbidden:
            message = (
                f"Unable to create/update fields: {', '.join(forbidden)}. Please check the security settings "
                "of this field and verify that it is read/write for your profile or permission set."
            )
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, forbidden)
        return values

    @staticmethod
    def _refuse_id(creating: bool) -> None:
        if creating:
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        raise RowError("INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])

    def _value(self, sobject: SObjectType, field: Field, raw: Any) -> Any:
        value = stored(field, raw, sobject.label)
        if value is None:
            return False if field.type == "boolean" else None
        if field.references:
            for record in value if isinstance(value, list) else [value]:
                rules.check_reference(self.org.store, field, record, self.org.schema.of_id(record))
        return value

    def _require(self, sobject: SObjectType, row: Row) -> None:
        missing = [field.name for field in sobject.required_fields() if row.get(field.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RowError("REQUIRED_FIELD_MISSING", message, missing)

    def _finish(self, sobject: SObjectType, row: Row, values: Row, before: Row | None) -> None:
        if values.get("OwnerId"):
            rules.check_owner(self.org.store, sobject, values["OwnerId"])
        if sobject.name == "Task":
            rules.check_task(row, "TaskWhoIds" in sobject.fields)
        row["LastModifiedDate"] = row["SystemModstamp"] = self.now
        row["LastModifiedById"] = self.user_id
        rules.derive(self.org.store, sobject.name, row)
        self._validate(sobject, row)
        self._unique(sobject, row, before)

    def _validate(self, sobject: SObjectType, row: Row) -> None:
        for rule in self.org.validation_rules:
            if rule.object == sobject.name and rule.active and holds(rule.condition, row):
                fields = [rule.field] if rule.field else []
                raise RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)

    def _unique(self, sobject: SObjectType, row: Row, before: Row | None) -> None:
        table = self.org.store.tables[sobject.name]
        for field in sobject.fields.values():
            if not field.unique or row.get(field.name) is None:
                continue
            for other in table.matches(field.name, row[field.name]):
                same = before is not None and other["Id"] == before["Id"]
                differs = field.case_sensitive and other[field.name] != row[field.name]
                if not (same or differs or other["IsDeleted"]):
                    found = f"{field.name} duplicates value on record with id: {other['Id']}"
                    raise RowError("DUPLICATE_VALUE", f"duplicate value found: {found}")
