"""Organisation, teams and users in the Manager App."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group

from teams.admin.audit import AuditAdmin
from teams.admin.filters import CrmUserFilter, DayRangeFilter, TeamFilter
from teams.admin.organisation import OrganisationAdmin
from teams.admin.team import TeamAdmin
from teams.admin.user import UserAdmin

__all__ = ["AuditAdmin", "CrmUserFilter", "DayRangeFilter", "OrganisationAdmin", "TeamAdmin", "TeamFilter", "UserAdmin"]

# Roles say who may do what; Django's groups would be a second answer.
admin.site.unregister(Group)
# User.email is the only address, single sign-on stands in the settings, and a second factor is its owner's.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
