"""Which CRM user is which user: by e-mail, once a day and at a button. An id that is there is never overwritten.

The CRM user whose id stands on a user's page owns that user's Tasks; without one the Access User owns them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from sync import connecting
from sync.crm.base import CrmUser
from sync.enums import ConnectionState, CrmUserFinding
from sync.errors import NotConnectedError
from sync.models import Connection, CrmUserLookup
from teams import audit
from teams.models import Role, User

USERS_PER_CALL = 200
MOST_CANDIDATES = 10


class ChoiceRefusedError(Exception):
    """A CRM user can't be given to a user; the message says why and the remedy."""


@dataclass(frozen=True, slots=True)
class Report:
    """How many users were looked up, with what result; `left` were not, because there were too many."""

    findings: Mapping[CrmUserFinding, int]
    left: int = 0

    @property
    def looked_up(self) -> int:
        return sum(self.findings.values())

    @property
    def matched(self) -> int:
        return self.findings.get(CrmUserFinding.MATCHED, 0)


def judge(candidates: Sequence[CrmUser], taken: Collection[str]) -> tuple[CrmUserFinding, CrmUser | None]:
    """Decide who of the CRM users with one e-mail it is; `taken` are ids that belong to other users here."""
    if not candidates:
        return CrmUserFinding.NONE, None
    active = [each for each in candidates if each.is_active]
    if not active:
        return CrmUserFinding.INACTIVE, None
    if all(each.crm_id in taken for each in active):
        return CrmUserFinding.TAKEN, None
    if len(active) > 1:
        return CrmUserFinding.SEVERAL, None
    return CrmUserFinding.MATCHED, active[0]


def unmatched() -> QuerySet[User]:
    """Return the active reps who have no CRM user: whoever reads the CRM's reports misses their Tasks."""
    users: QuerySet[User] = User.objects.active().filter(role=Role.REP, crm_user_id=None)
    return users


def why_not_now(now: datetime) -> str:
    """Say why the CRM can't be asked at this moment, and who can help; empty when it can."""
    connection = _connection()
    if connection is None:
        return _("No CRM is connected yet. An admin connects it under Settings › CRM › Connection.")  # noqa: RUF001
    if connection.state != ConnectionState.CONNECTED:
        return _("The Access User is disconnected. Once an admin has reconnected it, look again.")
    if not connection.may_send(now):
        assert connection.paused_until is not None
        until = formats.localize(timezone.localtime(connection.paused_until))
        return _("The CRM's limits are used up or it is out of reach: calls rest until %(until)s.") % {"until": until}
    return ""


def match(users: QuerySet[User], *, actor: User | None = None, most: int | None = None) -> Report:
    """Look up those of `users` who are active and have no CRM user, and keep what was found.

    One API call for each 200 of them (more where addresses are longer than 40 characters), at most `most` users,
    those who waited longest first. Raises NotConnectedError, with what to say, and CrmError; what was found before
    stays. Call it in autocommit.
    """
    if reason := why_not_now(timezone.now()):
        raise NotConnectedError(reason)
    connection = _connection()
    assert connection is not None
    todo = users.active().filter(crm_user_id=None)  # type: ignore[attr-defined]
    waiting = list(todo.order_by(F("crm_user_lookup__at").asc(nulls_first=True), "pk")[: most and most + 1])
    chosen = waiting[:most]
    findings: Counter[CrmUserFinding] = Counter()
    crm = connecting.gateway(connection)
    try:
        for start in range(0, len(chosen), USERS_PER_CALL):
            batch = chosen[start : start + USERS_PER_CALL]
            findings.update(_keep(batch, crm.find_users([user.email for user in batch]), actor))
    finally:
        connection.note_usage(crm.usage)
    return Report(dict(findings), left=todo.count() if len(waiting) > len(chosen) else 0)


def choose(actor: User, user: User, crm_id: str) -> str:
    """Give `user` one of the candidates of the last look-up; return the CRM user's name.

    Raises ChoiceRefusedError: nothing is changed then.
    """
    with transaction.atomic():
        lookup = CrmUserLookup.objects.select_for_update().filter(user=user).first()
        candidate = lookup.candidate(crm_id) if lookup else None
        if lookup is None or candidate is None or not candidate["is_active"]:
            raise ChoiceRefusedError(_("This CRM user is not among the candidates any more. Look again."))
        if not _take(user, crm_id):
            raise ChoiceRefusedError(
                _("This CRM user belongs to another user here, or %(user)s has one by now. Look again.")
                % {"user": user}
            )
        lookup.finding = CrmUserFinding.CHOSEN
        lookup.save(update_fields=["finding"])
        audit.note(actor, user, {"crm_user_id": ("", f"{candidate['name']} ({crm_id})")})
    return str(candidate["name"])


def _connection() -> Connection | None:
    return Connection.objects.of_organisation().defer("schema").first()


def _keep(users: Sequence[User], found: Sequence[CrmUser], actor: User | None) -> list[CrmUserFinding]:
    """Write down what one call found, and give users the CRM user that it can only be."""
    now = timezone.now()
    by_email: dict[str, list[CrmUser]] = defaultdict(list)
    for each in found:
        by_email[each.email].append(each)
    with transaction.atomic():
        ids = [each.crm_id for each in found]
        taken = set(User.objects.filter(crm_user_id__in=ids).values_list("crm_user_id", flat=True))
        lookups, changes = [], []
        for user in users:
            candidates = by_email.get(user.email, [])
            finding, crm_user = judge(candidates, taken)
            if crm_user is not None:
                if not _take(user, crm_user.crm_id):
                    finding = CrmUserFinding.TAKEN
                else:
                    text = f"{crm_user.name} ({crm_user.crm_id})"
                    changes.append((user, {"crm_user_id": ("", text)}))
            lookups.append(_lookup(user, finding, candidates, taken, now))
        CrmUserLookup.objects.bulk_create(
            lookups, update_conflicts=True, unique_fields=["user"], update_fields=["finding", "candidates", "at"]
        )
        audit.note_all(actor, changes)
    return [CrmUserFinding(lookup.finding) for lookup in lookups]


def _lookup(
    user: User, finding: CrmUserFinding, candidates: Sequence[CrmUser], taken: Collection[str], now: datetime
) -> CrmUserLookup:
    shown = [
        {
            "id": each.crm_id,
            "name": each.name,
            "username": each.username,
            "is_active": each.is_active,
            "is_free": each.crm_id not in taken,
        }
        for each in sorted(candidates, key=lambda each: (not each.is_active, each.name))[:MOST_CANDIDATES]
    ]
    return CrmUserLookup(user=user, finding=finding, candidates=shown, at=now)


def _take(user: User, crm_id: str) -> bool:
    """Give an active user without a CRM user this one; False when somebody else was faster, at either end."""
    try:
        with transaction.atomic():
            return bool(User.objects.active().filter(pk=user.pk, crm_user_id=None).update(crm_user_id=crm_id))
    except IntegrityError:
        return False
