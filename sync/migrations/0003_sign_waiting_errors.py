"""Rows that wait or have failed get what equal errors have in common, as sync/troubles.py wrote it at the time."""

import hashlib
import re

from django.db import migrations
from django.db.models import OuterRef, Subquery

PARTICULARS = re.compile(r"\b(?=\w*\d)\w{15,18}\b|\d+")
QUOTED = re.compile(r"(data value too large|invalid email address): .*?(?=( \(max length=\d+\))?\Z)", re.DOTALL)
CHUNK = 1000


def signature(mode, code, message, fields):
    message = PARTICULARS.sub("#", QUOTED.sub(r"\1", message))
    common = "\0".join([mode, code, message, *sorted(fields)])
    return hashlib.sha256(common.encode()).hexdigest()


def sign(apps, schema_editor):
    OutboxRow = apps.get_model("sync", "OutboxRow")
    Attempt = apps.get_model("sync", "Attempt")
    refusals = Attempt.objects.filter(row=OuterRef("pk"), error_code=OuterRef("error_code")).order_by("-pk")
    rows = (
        OutboxRow.objects.filter(state__in=["pending", "sending", "failed"], signature="")
        .exclude(error_code="")
        .annotate(
            last_fields=Subquery(refusals.values("error_fields")[:1]),
            last_at=Subquery(refusals.values("finished_at")[:1]),
        )
        .select_related("trouble")
        .order_by("pk")
    )
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        for row in chunk:
            row.signature = (
                row.trouble.signature
                if row.trouble
                else signature(row.failure_mode, row.error_code, row.error_message, row.last_fields or [])
            )
            row.error_since = row.first_attempt_at or row.created_at
            row.error_at = row.last_at or row.settled_at or row.error_since
        OutboxRow.objects.bulk_update(chunk, ["signature", "error_since", "error_at"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0002_equal_errors"),
    ]

    operations = [migrations.RunPython(sign, migrations.RunPython.noop, elidable=True)]
