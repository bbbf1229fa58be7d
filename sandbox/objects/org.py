"""User and Organization: who works in the org, and the org itself."""

from sandbox.objects import fields as f
from sandbox.schema import SObjectType


def user() -> SObjectType:
    return f.sobject(
        "User",
        "005",
        f.identity(),
        f.text("Username", 80, nillable=False, id_lookup=True),
        f.text("LastName", 80, nillable=False),
        f.text("FirstName", 40),
        f.text("Name", 121, nillable=False, name_field=True, **f.READ_ONLY),
        f.text("Alias", 8),
        f.email("Email", 128, nillable=False),
        f.text("Title", 80),
        f.phone("Phone"),
        f.phone("MobilePhone"),
        f.checkbox("IsActive"),
        f.text("TimeZoneSidKey", 40),
        f.text("LanguageLocaleKey", 40),
        f.text("LocaleSidKey", 40),
        f.picklist("UserType", "Standard|PowerPartner|Guest", "Standard", **f.READ_ONLY),
        f.audit(),
        createable=False,
        updateable=False,
        deletable=False,
    )


def organization() -> SObjectType:
    return f.sobject(
        "Organization",
        "00D",
        f.identity(),
        f.text("Name", 80, nillable=False, name_field=True),
        f.text("OrganizationType", 40, **f.READ_ONLY),
        f.text("InstanceName", 5, **f.READ_ONLY),
        f.checkbox("IsSandbox", **f.READ_ONLY),
        f.text("TimeZoneSidKey", 40),
        f.text("LanguageLocaleKey", 40),
        f.phone("Phone"),
        f.audit(),
        createable=False,
        updateable=False,
        deletable=False,
    )
