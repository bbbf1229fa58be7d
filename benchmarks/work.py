"""What reps do while it is measured: calls, e-mails and other tasks, most of them on a record."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from sandbox.control import SandboxControl
from sync.completion import Completion, complete, complete_many
from sync.enums import CallDirection, TaskKind
from sync.models import Task
from teams.models import Role, User


@dataclass
class Reps:
    """Some reps, and the CRM ids of the records they work on (none when nothing is connected)."""

    users: list[User]
    people: list[str]
    accounts: list[str]
    chance: random.Random
    number: int = 0

    @classmethod
    def hire(cls, sandbox: SandboxControl, chance: random.Random, with_records: bool) -> "Reps":
        """Return reps who are users of the CRM, too, made when there are none; look up its records."""
        owners = [user["Id"] for user in sandbox.rows("User") if user["IsActive"]]
        users = list(User.objects.filter(role=Role.REP)) or [
            User.objects.create_user(f"rep{number}@example.com", name=f"Rep {number}", crm_user_id=owner)
            for number, owner in enumerate(owners, start=1)
        ]
        people = [row["Id"] for kind in ("Contact", "Lead") for row in sandbox.rows(kind)]
        accounts = [row["Id"] for row in sandbox.rows("Account")]
        return cls(users, people if with_records else [], accounts if with_records else [], chance)

    def work(self, count: int, word: str = "task") -> list[Completion]:
        """Return so many completions, each with a subject of its own that holds `word`."""
        return [self._one(word) for _each in range(count)]

    def _one(self, word: str) -> Completion:
        self.number += 1
        kind = self.chance.choice(list(TaskKind))
        completion = Completion(
            user=self.chance.choice(self.users),
            kind=kind,
            subject=f"Measured {word} {self.number}",
            description="What was said. " * self.chance.randint(0, 40),
        )
        if self.people and self.chance.random() < 0.8:
            completion.record = self.chance.choice(self.people)
        elif self.accounts and self.chance.random() < 0.5:
            completion.record = self.chance.choice(self.accounts)
        if kind == TaskKind.CALL:
            completion.call_direction = self.chance.choice(list(CallDirection))
            completion.call_duration_seconds = self.chance.randint(1, 900)
            completion.call_disposition = "Connected"
        return completion


def finish(completions: Sequence[Completion], *, together: bool) -> list[Task]:
    """Complete them in one transaction or one by one. Raises ValidationError: what was made up must be right."""
    if not together:
        return [complete(completion) for completion in completions]
    tasks = []
    for result in complete_many(completions):
        if isinstance(result, ValidationError):
            raise result
        tasks.append(result)
    return tasks
