"""Account, Opportunity and Case: what a Task may be related to."""

from sandbox.objects import fields as f
from sandbox.schema import SObjectType

_STAGES = "Prospecting|Qualification|Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost"


def account() -> SObjectType:
    return f.sobject(
        "Account",
        "001",
        f.identity(),
        f.text("Name", 255, nillable=False, name_field=True, label="Account Name"),
        f.picklist("Type", "Prospect|Customer|Partner|Other"),
        f.reference("ParentId", "Account"),
        f.address("Billing"),
        f.phone("Phone"),
        f.phone("Fax"),
        f.url("Website"),
        f.text("AccountNumber", 40),
        f.picklist("Industry", "Agriculture|Banking|Energy|Healthcare|Technology|Other"),
        f.number("AnnualRevenue", "currency"),
        f.integer("NumberOfEmployees"),
        f.long_text("Description"),
        f.reference("PersonContactId", "Contact", **f.READ_ONLY),
        f.checkbox("IsPersonAccount", **f.READ_ONLY),
        f.email("PersonEmail"),
        f.phone("PersonMobilePhone"),
        f.phone("PersonHomePhone"),
        f.text("PersonTitle", 80),
        f.day("LastActivityDate", **f.READ_ONLY),
        f.reference("MasterRecordId", "Account", **f.READ_ONLY),
        f.owner(),
        f.audit(),
    )


def opportunity() -> SObjectType:
    return f.sobject(
        "Opportunity",
        "006",
        f.identity(),
        f.reference("AccountId", "Account"),
        f.text("Name", 120, nillable=False, name_field=True),
        f.long_text("Description"),
        f.picklist("StageName", _STAGES, nillable=False, label="Stage"),
        f.number("Amount", "currency"),
        f.number("Probability", "percent"),
        f.day("CloseDate", nillable=False),
        f.picklist("Type", "New Customer|Existing Customer"),
        f.text("NextStep", 255),
        f.picklist("LeadSource", "Web|Phone Inquiry|Partner Referral|Purchased List|Other"),
        f.checkbox("IsClosed", **f.READ_ONLY),
        f.checkbox("IsWon", **f.READ_ONLY),
        f.reference("ContactId", "Contact", updateable=False),
        f.day("LastActivityDate", **f.READ_ONLY),
        f.owner(),
        f.audit(),
        plural="Opportunities",
    )


def case() -> SObjectType:
    return f.sobject(
        "Case",
        "500",
        f.identity(),
        f.text("CaseNumber", 30, nillable=False, defaulted=True, name_field=True, **f.READ_ONLY),
        f.reference("ContactId", "Contact"),
        f.reference("AccountId", "Account"),
        f.text("SuppliedName", 80),
        f.email("SuppliedEmail"),
        f.picklist("Type", "Problem|Question|Other"),
        f.picklist("Status", "New|Working|Escalated|Closed", "New"),
        f.picklist("Origin", "Phone|Email|Web"),
        f.picklist("Priority", "High|Medium|Low", "Medium"),
        f.text("Subject", 255),
        f.long_text("Description"),
        f.checkbox("IsClosed", **f.READ_ONLY),
        f.reference("MasterRecordId", "Case", **f.READ_ONLY),
        f.owner("Group|User"),
        f.audit(),
    )
