"""What became of each task: in the outbox here, and as a Task in the CRM."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from playbooks.demo.stories import Story
from playbooks.demo.table import render
from sandbox.control import Commit, Row, SandboxControl
from sync.enums import FailureMode
from sync.models import OutboxRow, Task

_SUBJECT_SHOWN = 32


@dataclass(frozen=True, slots=True)
class Completed:
    """A story whose task was completed; `at_ms` is when the rep did, in epoch milliseconds."""

    story: Story
    task: Task
    at_ms: float

    def row(self) -> OutboxRow:
        return self.task.outbox_rows.latest("pk")

    def has_arrived(self) -> bool:
        """Whether the outbox row is in the state that the story wants."""
        row = self.row()
        return row.state == self.story.state and row.error_code == self.story.error_code


@dataclass(frozen=True, slots=True)
class InCrm:
    """The CRM's side, read once."""

    names: dict[str, str]
    tasks: dict[str, list[Row]]
    commits: dict[str, Commit]

    @classmethod
    def read(cls, crm: SandboxControl) -> "InCrm":
        """Read all Tasks by their key, and the names of everything that they refer to."""
        kinds = ("User", "Account", "Contact", "Lead", "Opportunity")
        tasks: dict[str, list[Row]] = {}
        for row in crm.rows("Task"):
            tasks.setdefault(row.get("Playbooks_Key__c") or "", []).append(row)
        commits = {commit["key"]: commit for commit in reversed(crm.commits()) if commit["key"]}
        return cls({row["Id"]: row["Name"] for kind in kinds for row in crm.rows(kind)}, tasks, commits)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table, and what is wrong with it."""

    cells: tuple[str, ...]
    wrong: tuple[str, ...]


def judge(completed: Completed, crm: InCrm) -> Result:
    """Compare what the story wants with the outbox and with the Task that stands in the CRM."""
    story, task, row = completed.story, completed.task, completed.row()
    task.refresh_from_db()
    found = crm.tasks.get(task.key, [])
    there = found[0] if found else {}
    names = {slot: crm.names.get(there.get(slot, "")) for slot in ("WhoId", "WhatId", "OwnerId")}
    codes = frozenset(task.decisions.values_list("code", flat=True))
    is_written = not story.error_code
    compared: list[tuple[str, object, object]] = [
        (_("state"), story.state, row.state),
        (_("code"), story.error_code, row.error_code),
        (_("decisions"), sorted(story.decisions), sorted(codes)),
        (_("Tasks in the CRM"), int(is_written), len(found)),
        (_("CRM Task id"), there.get("Id", ""), task.crm_id),
    ]
    if is_written:
        compared += [
            ("WhoId", story.who, names["WhoId"]),
            ("WhatId", story.what, names["WhatId"]),
            ("OwnerId", story.owner or task.user.name, names["OwnerId"]),
        ]
    wrong = [
        _("%(subject)s: %(what)s should be %(wanted)s, but is %(found)s.")
        % {"subject": task.subject, "what": what, "wanted": wanted, "found": actual}
        for what, wanted, actual in compared
        if wanted != actual
    ]
    commit = crm.commits.get(task.key)
    cells = (
        shorten(task.subject),
        task.user.name,
        " + ".join(name for name in (names["WhoId"], names["WhatId"]) if name) if there else _wanted(task),
        task.crm_id or "-",
        row.get_state_display(),
        f"{commit['at_ms'] - completed.at_ms:.0f}" if commit else "-",
        reason(task, row),
    )
    return Result(cells, tuple(wrong))


def shorten(subject: str) -> str:
    return subject if len(subject) <= _SUBJECT_SHOWN else subject[: _SUBJECT_SHOWN - 1] + "…"


def _wanted(task: Task) -> str:
    """The records that a task which is not in the CRM yet is meant for."""
    return " + ".join(record.name for record in (task.who, task.what) if record)


def reason(task: Task, row: OutboxRow) -> str:
    """Why it is as it is: the CRM's own words, and who acts next; else what was decided on the way."""
    if row.error_code:
        actor = FailureMode(row.failure_mode).actor.label
        return _("%(code)s: %(message)s Next: %(actor)s.") % {
            "code": row.error_code,
            "message": row.error_message,
            "actor": actor,
        }
    decisions = [decision.get_code_display() for decision in task.decisions.all()]
    return "; ".join([_("Orphaned phone call")] * task.is_orphan + decisions)


def table(results: Sequence[Result], columns: int) -> str:
    """The results for a terminal of that width."""
    headings = (_("Task"), _("Rep"), _("Record"), _("CRM Task id"), _("State"), _("ms"), _("Reason"))
    return render(headings, [result.cells for result in results], columns, right=(5,), below=(2,))
