"""Which fields the CRM's Task has, with all that decides what can be done with them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DescribedField:
    """One field of the CRM's Task, with what decides whether it can be used for something.

    `type` is the CRM's word. `digits` are those before the point; `choices` only where others are refused.
    """

    name: str
    label: str
    type: str
    length: int = 0
    digits: int = 0
    is_custom: bool = False
    createable: bool = True
    updateable: bool = True
    required: bool = False
    unique: bool = False
    external_id: bool = False
    choices: tuple[str, ...] | None = None
    help_text: str = ""


@dataclass(frozen=True, slots=True)
class OrgFields:
    """The fields of the org's Task as the Access User sees them, by name.

    `hidden` are those that it doesn't see although they exist, as far as the CRM tells; where it `tells` all, what is
    neither here nor there doesn't exist.
    """

    fields: Mapping[str, DescribedField]
    hidden: tuple[str, ...] = ()
    tells: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back."""
        fields = [asdict(each) for each in self.fields.values()]
        return {"fields": fields, "hidden": [*self.hidden], "tells": self.tells}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "OrgFields":
        """Read what `to_json` gave."""
        fields = [
            DescribedField(**{**each, "choices": tuple(each["choices"]) if each["choices"] is not None else None})
            for each in data["fields"]
        ]
        return cls({each.name: each for each in fields}, tuple(data["hidden"]), data["tells"])
