"""Contact and Lead."""

from sandbox.objects import fields as f
from sandbox.schema import Field, SObjectType

_SALUTATIONS = "Mr.|Ms.|Mrs.|Dr.|Prof.|Mx."
_SOURCES = "Web|Phone Inquiry|Partner Referral|Purchased List|Other"


def _name() -> list[Field]:
    return [
        f.text("LastName", 80, nillable=False),
        f.text("FirstName", 40),
        f.picklist("Salutation", _SALUTATIONS, length=40),
        f.text("Name", 121, nillable=False, name_field=True, label="Full Name", **f.READ_ONLY),
        f.text("Title", 128),
    ]


def _reach() -> list[Field]:
    return [
        f.phone("Phone"),
        f.phone("Fax"),
        f.phone("MobilePhone"),
        f.email("Email", id_lookup=True),
        f.checkbox("HasOptedOutOfEmail"),
        f.checkbox("DoNotCall"),
        f.picklist("LeadSource", _SOURCES),
        f.long_text("Description"),
        f.day("LastActivityDate", **f.READ_ONLY),
    ]


def contact() -> SObjectType:
    return f.sobject(
        "Contact",
        "003",
        f.identity(),
        f.reference("AccountId", "Account"),
        _name(),
        f.address("Mailing"),
        _reach(),
        f.phone("HomePhone"),
        f.phone("OtherPhone"),
        f.phone("AssistantPhone"),
        f.text("Department", 80),
        f.reference("ReportsToId", "Contact"),
        f.checkbox("IsPersonAccount", **f.READ_ONLY),
        f.reference("MasterRecordId", "Contact", **f.READ_ONLY),
        f.owner(),
        f.audit(),
    )


def lead() -> SObjectType:
    return f.sobject(
        "Lead",
        "00Q",
        f.identity(),
        _name(),
        f.text("Company", 255, nillable=False),
        f.address(""),
        _reach(),
        f.url("Website"),
        f.picklist("Industry", "Agriculture|Banking|Energy|Healthcare|Technology|Other"),
        f.picklist(
            "Status",
            "Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted",
            "Open - Not Contacted",
            nillable=False,
        ),
        f.picklist("Rating", "Hot|Warm|Cold"),
        f.checkbox("IsConverted", **f.READ_ONLY),
        f.day("ConvertedDate", **f.READ_ONLY),
        f.reference("ConvertedAccountId", "Account", **f.READ_ONLY),
        f.reference("ConvertedContactId", "Contact", **f.READ_ONLY),
        f.reference("ConvertedOpportunityId", "Opportunity", **f.READ_ONLY),
        f.reference("MasterRecordId", "Lead", **f.READ_ONLY),
        f.owner("Group|User"),
        f.audit(),
    )
