"""What a record's page shows of the fields that were read from the CRM, with labels that a person reads. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.models import Record
from teams.crm_ids import to_18
from teams.scoped_admin import Text

# In the order in which they are shown. A field that is missing here keeps the CRM's name.
_LABELS: Mapping[str, Text] = {
    "Title": _("Title"),
    "PersonTitle": _("Title"),
    "Department": _("Department"),
    "Company": _("Company"),
    "StageName": _("Stage"),
    "Amount": _("Amount"),
    "CloseDate": _("Close date"),
    "Probability": _("Probability"),
    "NextStep": _("Next step"),
    "CaseNumber": _("Case number"),
    "Subject": _("Subject"),
    "Status": _("Status"),
    "Priority": _("Priority"),
    "Rating": _("Rating"),
    "Type": _("Type"),
    "Industry": _("Industry"),
    "Website": _("Website"),
    "NumberOfEmployees": _("Employees"),
    "AnnualRevenue": _("Annual revenue"),
    "AccountNumber": _("Account number"),
    "Origin": _("Origin"),
    "LeadSource": _("Lead source"),
    "ParentId": _("Parent account"),
    "ReportsToId": _("Reports to"),
    "ContactId": _("Contact"),
    "ConvertedContactId": _("Converted to contact"),
    "ConvertedAccountId": _("Converted to account"),
    "ConvertedOpportunityId": _("Converted to opportunity"),
    "MasterRecordId": _("Merged into"),
    "SuppliedName": _("Name given"),
    "LastActivityDate": _("Last activity"),
    "Description": _("Description"),
}
_ADDRESSES: Mapping[str, Text] = {
    "Billing": _("Billing address"),
    "Mailing": _("Mailing address"),
    "": _("Address"),
}
_PARTS = ("Street", "PostalCode", "City", "State", "Country")
# The heading has them: name, reachability, and what must be heeded.
_ELSEWHERE = {
    *("FirstName", "LastName", "Salutation", "Name", "IsPersonAccount", "DoNotCall", "HasOptedOutOfEmail"),
    *("Phone", "MobilePhone", "HomePhone", "OtherPhone", "Email", "SuppliedPhone", "SuppliedEmail"),
    *("PersonMobilePhone", "PersonHomePhone", "PersonOtherPhone", "PersonEmail"),
    *("IsClosed", "IsWon", "IsConverted"),
    *(f"{of}{part}" for of in _ADDRESSES for part in _PARTS),
}
_DATES = {"CloseDate", "LastActivityDate"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, and a value as text or as a record; a label that is the CRM's own name is shown as one."""

    label: Text
    value: str = ""
    record: Record | None = None
    is_long: bool = False
    is_crm_name: bool = False


def referred_ids(record: Record) -> set[str]:
    """Return the CRM ids of the records that this one names, its account among them."""
    named = {_crm_id(value) for name, value in record.fields.items() if _is_reference(name)}
    return {*named, record.account_crm_id} - {""}


def facts(record: Record, others: Sequence[Record]) -> list[Fact]:
    """Return what is known, empty fields left out; `others` are mirrored records that it names."""
    by_id = {other.crm_id: other for other in others}
    filled = {name: value for name, value in record.fields.items() if value not in (None, "")}
    told = [_fact(name, label, filled[name], by_id) for name, label in _LABELS.items() if name in filled]
    places = list(_addresses(filled))
    unnamed = sorted(filled.keys() - _LABELS.keys() - _ELSEWHERE)
    rest = [Fact(name, _words(name, filled[name]), is_crm_name=True) for name in unnamed]
    long = [fact for fact in told if fact.is_long]
    return [*(fact for fact in told if not fact.is_long), *places, *rest, *long]


def warnings(record: Record) -> list[tuple[Text, str]]:
    """Return what somebody must know before they call or write, and how a deal or a lead ended: words with a tone."""
    told: list[tuple[Text, str]] = []
    fields = record.fields
    if fields.get("DoNotCall") is True:
        told.append((_("Do not call"), "bad"))
    if fields.get("HasOptedOutOfEmail") is True:
        told.append((_("Opted out of e-mail"), "bad"))
    if fields.get("IsConverted") is True:
        told.append((_("Converted"), "warn"))
    if fields.get("IsClosed") is True:
        won = {True: (_("Won"), "good"), False: (_("Lost"), "neutral")}
        told.append(won.get(fields.get("IsWon"), (_("Closed"), "neutral")))
    return told


def _fact(name: str, label: Text, value: object, by_id: Mapping[str, Record]) -> Fact:
    if _is_reference(name):
        crm_id = _crm_id(value)
        return Fact(label, str(value), record=by_id.get(crm_id))
    return Fact(label, _words(name, value), is_long=name == "Description")


def _is_reference(name: str) -> bool:
    return name.endswith("Id") and name in _LABELS


def _crm_id(value: object) -> str:
    try:
        return to_18(str(value))
    except ValueError:
        return ""


def _words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    text = str(value)
    if name in _DATES:
        try:
            return date_format(date.fromisoformat(text[:10]), "DATE_FORMAT")
        except ValueError:
            return text
    if name in ("Amount", "AnnualRevenue", "NumberOfEmployees"):
        return _number(text)
    return f"{text} %" if name == "Probability" else text


def _number(text: str) -> str:
    """Return digits with their thousands apart, and only the decimals that say something."""
    whole, _point, decimals = text.partition(".")
    if not whole.lstrip("-").isdecimal() or (decimals and not decimals.isdecimal()):
        return text
    return str(number_format(text if decimals.strip("0") else whole, use_l10n=True, force_grouping=True))


def _addresses(filled: Mapping[str, object]) -> Iterator[Fact]:
    for of, label in _ADDRESSES.items():
        street, code, city, state, country = (str(filled.get(f"{of}{part}", "")).strip() for part in _PARTS)
        lines = [street, " ".join(part for part in (code, city) if part), state, country]
        if text := ", ".join(line.replace("\r", "").replace("\n", ", ") for line in lines if line):
            yield Fact(label, text)
