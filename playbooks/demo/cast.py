"""The people, records and plays of the demo in Playbooks: made from company.py and what the CRM gave as ids."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from playbooks.demo.company import CRM, PEOPLE, PLAYS, TEAM
from sandbox.control import SandboxControl
from sync import refresh
from sync.connecting import gateway
from sync.models import Connection, Enrolment, Play, PlayStep, Record, Task
from sync.plays import enrol
from teams.models import Organisation, Role, Team, User


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody who looks at the demo enters, to see it as an admin, a manager or a rep."""

    role: Role
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everything that the tasks name, by the names that people use: users, records, and their plays' open tasks."""

    users: dict[str, User]
    records: dict[str, Record]
    enrolments: dict[str, Enrolment]

    def step(self, person: str, position: int) -> Task:
        """The open task of a person's play, by the position of its step."""
        return self.enrolments[person].tasks.get(step__position=position)


def make_people(crm: SandboxControl) -> tuple[dict[str, User], list[Login]]:
    """Make the organisation, its team and its users by name, and one log-in for each role."""
    organisation = Organisation.load()
    organisation.name, organisation.time_zone = CRM["org"]["Name"], CRM["org"]["TimeZoneSidKey"]
    organisation.phone_region = "GB"
    organisation.save()
    crm_users = {row["Email"]: row for row in crm.rows("User") if row.get("Email")}
    team = Team.objects.create(name=TEAM)
    password = secrets.token_urlsafe(12)
    logins: dict[str, Login] = {}
    users = {}
    for email, name, role, mail_provider in PEOPLE:
        logins.setdefault(role, Login(Role(role), email, password))
        crm_user = crm_users.get(email, {})
        users[name] = User.objects.create_user(
            email,
            password if logins[role].email == email else None,
            name=name,
            role=role,
            team=team if role == Role.REP else None,
            crm_user_id=crm_user.get("Id"),
            time_zone=crm_user.get("TimeZoneSidKey", ""),
            mail_provider=mail_provider,
        )
        if role == Role.MANAGER:
            team.managers.add(users[name])
    return users, list(logins.values())


def mirror_records(connection: Connection, crm: SandboxControl) -> dict[str, Record]:
    """Fetch every record of the org into Playbooks, by name."""
    crm_ids = [row["Id"] for kind in CRM["objects"] for row in crm.rows(kind)]
    records = refresh.known(connection, crm_ids)
    if errors := refresh.fetch(connection, gateway(connection), records.values()):
        raise RuntimeError(f"records that could not be fetched: {errors}")
    return {record.name: record for record in records.values()}


def enrol_records(users: dict[str, User], records: dict[str, Record]) -> dict[str, Enrolment]:
    """Make the plays, and enrol the people whom the team works on, by name."""
    plays = {}
    for name, steps in PLAYS.items():
        plays[name] = Play.objects.create(name=name)
        PlayStep.objects.bulk_create(
            PlayStep(
                play=plays[name],
                position=position,
                kind=kind,
                name=step,
                day_offset=day,
                subject=subject,
                description=description,
            )
            for position, (kind, step, day, subject, description) in enumerate(steps, 1)
        )
    amara, jonas = users["Amara Osei"], users["Jonas Weber"]
    first, renewal = plays["First three weeks"], plays["Renewal"]
    return {
        "Sofia Marchetti": enrol(first, records["Sofia Marchetti"], amara, records["Brightwater, 250 seats"]),
        "Daniel Okonkwo": enrol(renewal, records["Daniel Okonkwo"], jonas, records["Nordlys, pilot"]),
        "Marcus Feld": enrol(first, records["Marcus Feld"], jonas),
    }


def leave_open(cast: Cast) -> None:
    """Plan the days of the rep who logs in: something is late, due today, and to come."""
    amara = cast.users["Amara Osei"]
    begun = timedelta(days=2)
    earlier = enrol(Play.objects.get(name="First three weeks"), cast.records["Hannah Lee"], amara)
    for task in earlier.tasks.all():
        assert task.due_on is not None
        task.due_on -= begun
        task.save(update_fields=["due_on"])
    enrol(Play.objects.get(name="Renewal"), cast.records["Sofia Marchetti"], amara)
