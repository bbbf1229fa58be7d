"""Telling admins and managers of users without a CRM user: once for the same users, not every day."""

import hashlib
from collections import defaultdict
from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.crm_users import unmatched
from teams import notices
from teams.models import Notice, NoticeKind, Role, Team, User

NAMED = 5


def tell() -> int:
    """Tell each of those responsible whom they have not been told of; return how many notices were given."""
    concerned = _concerned()
    unread = Notice.objects.filter(kind=NoticeKind.CRM_USERS, read_at=None)
    keys = {user: _key(user, users) for user, users in concerned.items()}
    # What isn't so any more needs nobody; what has changed is told anew.
    notices.end(NoticeKind.CRM_USERS, set(unread.values_list("key", flat=True)) - set(keys.values()))
    known = set(Notice.objects.filter(kind=NoticeKind.CRM_USERS, key__in=keys.values()).values_list("key", flat=True))
    return sum(_tell(user, users, keys[user]) for user, users in concerned.items() if keys[user] not in known)


def _concerned() -> dict[User, list[User]]:
    """Return whom each admin and manager answers for: three queries."""
    users = list(unmatched().order_by("name", "pk"))
    if not users:
        return {}
    concerned: dict[User, list[User]] = dict.fromkeys(User.objects.admins(), users)
    by_team: dict[int, list[User]] = defaultdict(list)
    for user in users:
        if user.team_id:
            by_team[user.team_id].append(user)
    for team in Team.objects.filter(pk__in=by_team).prefetch_related("managers"):
        for manager in team.managers.all():
            if manager.role == Role.MANAGER and manager.is_active:
                concerned.setdefault(manager, []).extend(by_team[team.pk])
    return concerned


def _key(user: User, users: Collection[User]) -> str:
    """Name the cause: these users, for this person."""
    pks = ",".join(str(pk) for pk in sorted(each.pk for each in users))
    return f"{user.pk}:{hashlib.sha256(pks.encode()).hexdigest()}"


def _tell(user: User, users: list[User], key: str) -> int:
    count = len(users)
    title = ngettext("%(count)d user has no CRM user", "%(count)d users have no CRM user", count) % {"count": count}
    names = ", ".join(str(each) for each in users[:NAMED])
    if count > NAMED:
        names = _("%(names)s and %(count)d more") % {"names": names, "count": count - NAMED}
    text = _("%(names)s. Until a CRM user is chosen, the Access User owns their Tasks.") % {"names": names}
    return notices.tell([user], NoticeKind.CRM_USERS, title=title, text=text, path=reverse("crm_users"), key=key)
