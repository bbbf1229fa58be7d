"""What of the sync is kept in the audit: what people decide about the connection, plays and others' enrolments.

What machines note about a connection (pauses, batch size, API usage, being lost and back) is written with update(), and
never comes here. Tokens are no audited field: who connected, reconnected or disconnected is noted where that happens.
"""

from django.db.models import QuerySet
from django.urls import reverse

from sync.models import ApiToken, Connection, Enrolment, FieldMapping, Play, PlayStep, Sender
from teams import audit
from teams.models import User
from teams.scoped_admin import page_of


def _plays(viewer: User) -> QuerySet[Play]:
    return Play.objects.all() if viewer.is_staff else Play.objects.none()


def _steps(viewer: User) -> QuerySet[PlayStep]:
    return PlayStep.objects.all() if viewer.is_staff else PlayStep.objects.none()


audit.keep(
    Connection,
    ["user", "auth_flow", "login_url", "org_id", "access_user_id", "access_user_name", "state"],
    page=lambda connection: reverse("crm_connection"),
)
audit.keep(FieldMapping, ["slot", "field_name"], page=lambda _mapping: reverse("crm_fields"))
audit.keep(Play, ["name", "is_active"], seen_by=_plays, page=page_of)
audit.keep(
    PlayStep,
    ["kind", "name", "day_offset", "subject", "description"],
    seen_by=_steps,
    page=lambda step: page_of(step.play),
    related=("play",),
)
# Written by hand (plays.py): who enrols and ends for themselves stands in the enrolment alone.
audit.keep(Enrolment, [], seen_by=Enrolment.objects.visible_to, page=page_of, related=("play", "record"))
# A webhook's new secret is noted where it is made; a token's last use, written with update(), is nobody's deed.
audit.keep(
    Sender,
    ["name", "team", "is_active", "is_outlook_plugin", "webhook_url"],
    page=lambda sender: reverse("api_sender", args=[sender.uuid]),
)
audit.keep(
    ApiToken,
    ["sender", "hint", "expires_at", "revoked_at"],
    page=lambda token: reverse("api_sender", args=[token.sender.uuid]),
    related=("sender",),
)
