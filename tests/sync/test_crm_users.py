"""Which CRM user is which user: decided, looked up, chosen, and what it costs."""

from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.utils import timezone

from sandbox.control import SandboxControl
from sync import crm_users, jobs
from sync.crm.base import CrmUser
from sync.enums import ConnectionState, CrmUserFinding, FailureMode
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection, CrmUserLookup
from teams.models import Role, User
from tests.factories import UserFactory, crm_id
from tests.people import People, people
from tests.sync.crm.rows import calls

__all__ = ["people"]
MARA = "mara.lindqvist@northwind.example"


def crm_user(number: int, *, active: bool = True) -> CrmUser:
    return CrmUser(crm_id("005", number), f"N {number}", "n@example.com", f"n{number}@example.com", active)


@pytest.mark.parametrize(
    ("candidates", "taken", "finding", "who"),
    [
        ([], [], CrmUserFinding.NONE, None),
        ([crm_user(1)], [], CrmUserFinding.MATCHED, 1),
        ([crm_user(1), crm_user(2, active=False)], [], CrmUserFinding.MATCHED, 1),
        ([crm_user(1, active=False)], [], CrmUserFinding.INACTIVE, None),
        ([crm_user(1), crm_user(2)], [], CrmUserFinding.SEVERAL, None),
        ([crm_user(1), crm_user(2)], [1], CrmUserFinding.SEVERAL, None),
        ([crm_user(1)], [1], CrmUserFinding.TAKEN, None),
        ([crm_user(1), crm_user(2)], [1, 2], CrmUserFinding.TAKEN, None),
    ],
)
def test_judge(candidates: list[CrmUser], taken: list[int], finding: CrmUserFinding, who: int | None) -> None:
    chosen = crm_user(who) if who else None
    assert crm_users.judge(candidates, {crm_id("005", number) for number in taken}) == (finding, chosen)


def mara(sandbox: SandboxControl) -> str:
    return next(str(row["Id"]) for row in sandbox.rows("User") if row["Email"] == MARA)


def test_match_gives_the_one_with_the_email(connection: Connection, sandbox: SandboxControl, people: People) -> None:
    rep = UserFactory.create(email=MARA)
    gone = UserFactory.create(email="ines.ferro@northwind.example")
    nobody = UserFactory.create(email="nobody@northwind.example")
    LogEntry.objects.all().delete()
    report = crm_users.match(User.objects.filter(role=Role.REP), actor=people.manager)
    assert report.findings == {CrmUserFinding.MATCHED: 1, CrmUserFinding.INACTIVE: 1, CrmUserFinding.NONE: 1}
    rep.refresh_from_db()
    assert rep.crm_user_id == mara(sandbox)
    assert set(crm_users.unmatched()) == {gone, nobody}
    entry = LogEntry.objects.get()
    assert (entry.actor, entry.object_repr) == (people.manager, str(rep))
    assert entry.changes == {"crm_user_id": ["", f"Mara Lindqvist ({mara(sandbox)})"]}


def test_match_never_overwrites_what_was_entered(connection: Connection, sandbox: SandboxControl) -> None:
    own = crm_id("005", 77)
    rep = UserFactory.create(email=MARA, crm_user_id=own)
    assert crm_users.match(User.objects.all()).looked_up == 0
    rep.refresh_from_db()
    assert rep.crm_user_id == own


def test_match_leaves_a_crm_user_to_whom_it_belongs(connection: Connection, sandbox: SandboxControl) -> None:
    owner = UserFactory.create(crm_user_id=mara(sandbox))
    late = UserFactory.create(email=MARA)
    assert crm_users.match(User.objects.filter(pk=late.pk)).findings == {CrmUserFinding.TAKEN: 1}
    assert list(User.objects.filter(crm_user_id=mara(sandbox))) == [owner]


def test_match_says_several_and_one_is_chosen(connection: Connection, sandbox: SandboxControl, people: People) -> None:
    twin = sandbox.add("User", {"Username": "twin@x.example", "LastName": "Twin", "Email": MARA, "IsActive": True})
    rep = UserFactory.create(email=MARA)
    assert crm_users.match(User.objects.filter(pk=rep.pk)).findings == {CrmUserFinding.SEVERAL: 1}
    assert {each["id"] for each in rep.crm_user_lookup.candidates} == {mara(sandbox), twin["Id"]}
    assert crm_users.choose(people.admin, rep, twin["Id"]) == "Twin"
    rep.refresh_from_db()
    assert rep.crm_user_id == twin["Id"]
    with pytest.raises(crm_users.ChoiceRefusedError):
        crm_users.choose(people.admin, rep, mara(sandbox))


def test_choose_refuses_who_is_no_candidate(connection: Connection, sandbox: SandboxControl, people: People) -> None:
    rep = UserFactory.create(email="nobody@northwind.example")
    crm_users.match(User.objects.filter(pk=rep.pk))
    for wrong in (mara(sandbox), "", "'; --"):
        with pytest.raises(crm_users.ChoiceRefusedError):
            crm_users.choose(people.admin, rep, wrong)
    rep.refresh_from_db()
    assert rep.crm_user_id is None


def test_choose_refuses_whom_somebody_else_took(
    connection: Connection, sandbox: SandboxControl, people: People
) -> None:
    rep = UserFactory.create(email=MARA)
    candidate = {"id": mara(sandbox), "name": "Mara", "username": MARA, "is_active": True, "is_free": True}
    CrmUserLookup.objects.create(user=rep, finding=CrmUserFinding.SEVERAL, candidates=[candidate], at=timezone.now())
    UserFactory.create(crm_user_id=mara(sandbox))
    with pytest.raises(crm_users.ChoiceRefusedError):
        crm_users.choose(people.admin, rep, mara(sandbox))


def test_b3_match_costs_a_call_for_each_200(connection: Connection, sandbox: SandboxControl) -> None:
    UserFactory.create_batch(401)
    before = calls(sandbox).get("GET queryAll", 0)
    assert crm_users.match(User.objects.all()).looked_up == 401
    assert calls(sandbox)["GET queryAll"] - before == 3


def test_match_takes_those_who_waited_longest(connection: Connection, sandbox: SandboxControl) -> None:
    users = UserFactory.create_batch(3)
    report = crm_users.match(User.objects.all(), most=2)
    assert (report.looked_up, report.left) == (2, 3)
    assert crm_users.match(User.objects.all(), most=1).looked_up == 1
    assert set(CrmUserLookup.objects.values_list("user", flat=True)) == {user.pk for user in users}


def test_match_without_a_connection(db: None) -> None:
    with pytest.raises(NotConnectedError, match="No CRM is connected yet"):
        crm_users.match(User.objects.all())


def test_match_while_disconnected_or_resting(connection: Connection) -> None:
    until = timezone.now() + timedelta(hours=1)
    connection.pause(FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED", "", until)
    with pytest.raises(NotConnectedError, match="calls rest until"):
        crm_users.match(User.objects.all())
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    with pytest.raises(NotConnectedError, match="disconnected"):
        crm_users.match(User.objects.all())


def test_match_keeps_what_was_found_before_a_failure(connection: Connection, sandbox: SandboxControl) -> None:
    UserFactory.create_batch(201)
    sandbox.add_fault("http_error", probability=0.5, seed=10)  # the first call passes, the second doesn't
    with pytest.raises(CrmError):
        crm_users.match(User.objects.all())
    assert CrmUserLookup.objects.count() == 200


def test_match_daily(connection: Connection, sandbox: SandboxControl) -> None:
    rep = UserFactory.create(email=MARA)
    jobs.match_crm_users()
    rep.refresh_from_db()
    assert rep.crm_user_id == mara(sandbox)
