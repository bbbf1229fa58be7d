"""One crash run: tasks go out while processes are killed and the CRM fails; then every key is counted there."""

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.faults import BROKEN_WRITES, POISON, TRIGGER_ABOVE, Faults
from benchmarks.installation import Installation
from benchmarks.judging import Theirs, Verdict, judge
from benchmarks.killing import BUSY_WORKER, Killer
from benchmarks.strategies import Strategy
from benchmarks.work import Reps
from sync import outbox
from sync.models import Attempt, OutboxRow, Task
from teams.models import Role, User

PROGRESS_EVERY = 5.0
BIGGEST_BURST = 60
GUST = (3.0, 6.0)  # seconds
LULL = (2.0, 4.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much of what. Seconds; `kill_pause` lies between two kills."""

    tasks: int
    clusters: int
    storm: float
    kill_pause: tuple[float, float]
    calm_within: float
    seed: int


@dataclass
class Story:
    """What happened, for the report."""

    seconds: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    calls: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    stuck: list[str] = field(default_factory=list)

    def lacks(self, faults: Iterable[str]) -> list[str]:
        """Return what did not happen though the run is meant to prove something about it."""
        missing = [kind for kind in faults if not self.faults[kind]]
        return missing if self.kills[BUSY_WORKER] else [*missing, BUSY_WORKER]


class CrashRun:
    """Storm, calm, healing, verdict."""

    def __init__(self, installation: Installation, way: Strategy, plan: Plan, http_timeout: float) -> None:
        self.installation = installation
        self.way = way
        self.plan = plan
        self.story = Story()
        self.chance = random.Random(plan.seed)
        self.faults = Faults(installation.sandbox, http_timeout, plan.seed)
        self.poison: list[Task] = []
        self.made = 0
        self._began = time.monotonic()
        self._spoke = 0.0
        self._restart_at: float | None = None
        self._weather_until = 0.0
        self._is_gusty = False

    def run(self) -> Verdict:
        """Return the verdict. KeyboardInterrupt may come at any time: whoever made the installation ends it."""
        self.way.prepare(self.installation)
        self.reps = Reps.hire(self.installation.sandbox, self.chance, with_records=self.way.is_ours)
        self.admin = User.objects.create_user("admin@example.com", name="Admin", role=Role.ADMIN)
        for _each in range(self.plan.clusters):
            self.installation.start_workers(self.way.settings)
        self._storm()
        self._calm()
        if self.poison:
            self._heal()
        self.installation.stop_workers()
        return self._judge()

    def _storm(self) -> None:
        killer = Killer(
            self.installation.database_url,
            self.way.is_busy,
            self.plan.kill_pause,
            random.Random(self.plan.seed + 1),
        )
        self.faults.calm()
        self._flow()
        began = time.monotonic()
        killer.start()
        if self.way.is_ours:
            self.poison = self.way.complete(self.reps.work(1, POISON), together=True)
            self.made += 1
        big_at = self.chance.uniform(0.2, 0.7)
        try:
            while self.made < self.plan.tasks or time.monotonic() - began < self.plan.storm:
                passed = min(1.0, (time.monotonic() - began) / self.plan.storm)
                if passed > big_at:
                    big_at = 2.0
                    self._burst(self.plan.tasks // 5)
                elif self.made < self.plan.tasks * passed:
                    self._burst(self.chance.randint(1, BIGGEST_BURST))
                self._change_weather()
                self._tend(killer)
                time.sleep(self.chance.uniform(0.02, 0.3))
        finally:
            killer.stop()
            self.story.kills = killer.kills
        self.story.seconds["storm"] = time.monotonic() - began

    def _change_weather(self) -> None:
        """The connections break in gusts: without lulls the engine would rest most of the time, and die idle."""
        now = time.monotonic()
        if now < self._weather_until:
            return
        self._is_gusty = not self._is_gusty
        self._weather_until = now + self.chance.uniform(*(GUST if self._is_gusty else LULL))
        self.faults.calm()
        if self._is_gusty:
            self.faults.gust()

    def _flow(self) -> None:
        """Wait until the workers work: what dies before it began proves little."""
        # The second is more than the org's triggers bear, while batches are still large.
        for count in (5, TRIGGER_ABOVE + 10):
            self._burst_and_wait(count)
        for kind in BROKEN_WRITES:
            self.faults.certain(kind)
            self._burst_and_wait(7)

    def _burst_and_wait(self, count: int) -> None:
        self._burst(count, together=True)
        deadline = time.monotonic() + 15
        while self.way.waiting([]) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _burst(self, count: int, *, together: bool | None = None) -> None:
        count = min(count, self.plan.tasks - self.made)
        if together is None:
            together = self.chance.random() < 0.6
        if count > 0:
            self.way.complete(self.reps.work(count), together=together)
            self.made += count

    def _calm(self) -> None:
        """The CRM works again: everything but the poison row must arrive by itself."""
        began = time.monotonic()
        self.faults.calm()
        while self.way.waiting(self.poison) and time.monotonic() - began < self.plan.calm_within:
            self._tend(None)
            time.sleep(0.2)
        self.story.seconds["calm"] = time.monotonic() - began

    def _heal(self) -> None:
        """What was wrong with the poison row is mended, and an admin retries it by hand."""
        began = time.monotonic()
        self.faults.heal()
        outbox.retry_now(OutboxRow.objects.filter(task__in=self.poison), self.admin)
        while self.way.waiting([]) and time.monotonic() - began < self.plan.calm_within:
            self._tend(None)
            time.sleep(0.2)
        self.story.seconds["healed"] = time.monotonic() - began

    def _tend(self, killer: Killer | None) -> None:
        """Start a supervisor again a moment after it was killed; say how far everything is."""
        workers = self.installation.workers
        fallen = [child for child in workers if child.exit_status is not None]
        now = time.monotonic()
        if fallen and self._restart_at is None:
            self._restart_at = now + (self.chance.uniform(0.2, 3) if killer else 0)
        if fallen and self._restart_at is not None and now >= self._restart_at:
            workers.remove(fallen[0])
            self.installation.start_workers(self.way.settings)
            self.story.restarts += 1
            self._restart_at = None
        if now - self._spoke > PROGRESS_EVERY:
            self._spoke = now
            kills = killer.total if killer else self.story.kills.total()
            waiting = self.way.waiting([])
            print(
                f"  {now - self._began:4.0f} s  completed {self.made}/{self.plan.tasks}, waiting {waiting}, "
                f"killed {kills}",
                flush=True,
            )

    def _judge(self) -> Verdict:
        sandbox = self.installation.sandbox
        self.faults.heal()
        self.story.faults = self.faults.fired
        self.story.calls = sandbox.stats()["calls"]
        self.story.writes = Counter(one["operation"] for one in sandbox.commits() if one["object"] == "Task")
        outcomes = Counter(Attempt.objects.values_list("outcome", flat=True))
        self.story.outcomes = dict(outcomes)
        self.story.stuck = [_described(row) for row in OutboxRow.objects.unsettled().order_by("pk")[:20]]
        theirs = [Theirs(row["Id"], row.get(self.way.key_field) or "") for row in sandbox.rows("Task")]
        return judge(self.way.outcome(sandbox), theirs)


def _described(row: OutboxRow) -> str:
    return (
        f"{row.key} {row.state}, attempts {row.attempts}, in doubt {row.in_doubt}, "
        f"next try {row.not_before:%H:%M:%S}, {row.error_code}"
    )
