"""Who: the organisation, its teams and its users, what they switched, and what they are told."""

from teams.models.email_switch import EmailDirection, EmailSwitch, SwitchChoice
from teams.models.notice import Notice, NoticeChoice, NoticeKind
from teams.models.organisation import Organisation, SecondFactor, validate_time_zone
from teams.models.people import MailProvider, Role, Team, User, UserManager, UserQuerySet

__all__ = [
    "EmailDirection",
    "EmailSwitch",
    "MailProvider",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "Organisation",
    "Role",
    "SecondFactor",
    "SwitchChoice",
    "Team",
    "User",
    "UserManager",
    "UserQuerySet",
    "validate_time_zone",
]
