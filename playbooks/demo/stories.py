"""The tasks that the demo's reps complete, and what must become of each."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playbooks.demo.cast import Cast
from playbooks.demo.company import DANIELS_NUMBER, HANNAHS_NUMBER, UNKNOWN_NUMBER
from sync.completion import Completion
from sync.enums import CallDirection, DecisionCode, LinkChoice, OutboxState, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A completion, and what must come of it: the outbox row's state and error, and the Task's names in the CRM."""

    completion: Callable[[Cast], Completion]
    who: str | None = None
    what: str | None = None
    owner: str = ""  # by default the rep
    decisions: frozenset[DecisionCode] = field(default_factory=frozenset)
    state: OutboxState = OutboxState.DONE
    error_code: str = ""


def _step(rep: str, person: str, position: int, **said: object) -> Callable[[Cast], Completion]:
    """A step of a person's play."""
    return lambda cast: Completion(user=cast.users[rep], task=cast.step(person, position), **said)  # type: ignore[arg-type]


def _ad_hoc(
    rep: str, kind: TaskKind, subject: str, record: str = "", related: str = "", **said: object
) -> Callable[[Cast], Completion]:
    """An ad hoc task; `record` and `related` by name."""
    return lambda cast: Completion(
        user=cast.users[rep],
        kind=kind,
        subject=subject,
        record=cast.records[record] if record else None,
        related_record=cast.records[related] if related else None,
        **said,  # type: ignore[arg-type]
    )


SOFIA, DANIEL, HANNAH, MARCUS = "Sofia Marchetti", "Daniel Okonkwo", "Hannah Lee", "Marcus Feld"
AMARA, JONAS, PRIYA = "Amara Osei", "Jonas Weber", "Priya Nair"
ACCESS_USER = "Playbooks Access User"
OUTBOUND = CallDirection.OUTBOUND

STORIES = (
    Story(
        completion=_step(
            AMARA,
            SOFIA,
            1,
            call_direction=OUTBOUND,
            call_duration_seconds=312,
            call_disposition="Connected",
            description="Opens two new sites in spring; wants to see the roster screens.",
        ),
        who=SOFIA,
        what="Brightwater, 250 seats",
    ),
    Story(
        completion=_step(
            AMARA, SOFIA, 2, email_address="sofia.marchetti@brightwater.example", description="Grazie! 🌊 مرحبا بكم"
        ),
        who=SOFIA,
        what="Brightwater, 250 seats",
    ),
    Story(completion=_step(AMARA, SOFIA, 3), who=SOFIA, what="Brightwater, 250 seats"),
    Story(
        completion=_step(
            JONAS, DANIEL, 1, call_direction=OUTBOUND, call_duration_seconds=45, call_disposition="Left voicemail"
        ),
        who=DANIEL,
        what="Nordlys, pilot",
    ),
    Story(
        completion=_ad_hoc(
            JONAS,
            TaskKind.CALL,
            "Called back about the pilot",
            call_direction=CallDirection.INBOUND,
            call_duration_seconds=188,
            call_disposition="Connected",
            phone_number=DANIELS_NUMBER,
        ),
        who=DANIEL,
        decisions=frozenset({DecisionCode.PERSON_MATCHED}),
    ),
    Story(
        completion=_ad_hoc(JONAS, TaskKind.EMAIL, "Sent the pilot's scope", "Nordlys, pilot", choice=LinkChoice.PAGE),
        what="Nordlys, pilot",
    ),
    Story(
        completion=_ad_hoc(
            JONAS,
            TaskKind.CALL,
            "Asked about his fleet",
            MARCUS,
            "Nordlys, pilot",
            call_direction=OUTBOUND,
            call_duration_seconds=240,
            call_disposition="Connected",
        ),
        who=MARCUS,
        decisions=frozenset({DecisionCode.LEAD_WITHOUT_WHAT}),
    ),
    Story(
        completion=_ad_hoc(
            AMARA,
            TaskKind.CALL,
            "Somebody asked for a price list",
            call_direction=CallDirection.INBOUND,
            call_duration_seconds=64,
            call_disposition="Connected",
            phone_number=UNKNOWN_NUMBER,
        ),
        decisions=frozenset({DecisionCode.NO_MATCH}),
    ),
    Story(
        completion=_ad_hoc(
            AMARA,
            TaskKind.CALL,
            "Tried the number from the fair",
            call_direction=OUTBOUND,
            call_duration_seconds=20,
            call_disposition="No answer",
            phone_number=HANNAHS_NUMBER,
        ),
        decisions=frozenset({DecisionCode.NO_HISTORY}),
    ),
    Story(
        completion=_ad_hoc(AMARA, TaskKind.OTHER, "Left a card at reception", HANNAH, "Castell & Sons"),
        who=HANNAH,
        what="Castell & Sons",
    ),
    Story(
        completion=_ad_hoc(PRIYA, TaskKind.OTHER, "Filled in the security form", "Brightwater Foods"),
        what="Brightwater Foods",
        owner=ACCESS_USER,
        decisions=frozenset({DecisionCode.OWNER_IS_ACCESS_USER}),
    ),
    Story(
        completion=_ad_hoc(
            JONAS, TaskKind.EMAIL, "Sent the whole contract", DANIEL, description="All clauses. " * 3_100
        ),
        who=DANIEL,
        decisions=frozenset({DecisionCode.TRUNCATED}),
    ),
    Story(
        completion=_step(JONAS, MARCUS, 1, call_direction=OUTBOUND, call_duration_seconds=12),
        who=MARCUS,
        state=OutboxState.PENDING,
        error_code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
    ),
)
