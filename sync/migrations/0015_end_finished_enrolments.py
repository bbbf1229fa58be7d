from django.db import migrations
from django.db.models import Exists, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now


def end_finished(apps, schema_editor):
    """Enrolments whose last open task was done before enrolments ended by themselves."""
    Enrolment = apps.get_model("sync", "Enrolment")
    Task = apps.get_model("sync", "Task")
    tasks = Task.objects.filter(enrolment=OuterRef("pk"))
    last = tasks.order_by().values("enrolment").annotate(at=Max("completed_at")).values("at")
    finished = Enrolment.objects.filter(Exists(tasks), ~Exists(tasks.filter(state="open")), ended_at=None)
    finished.update(ended_at=Coalesce(Subquery(last), Now()))


class Migration(migrations.Migration):

    dependencies = [
        ("sync", "0014_webhooks"),
    ]

    operations = [
        migrations.RunPython(end_finished, migrations.RunPython.noop),
    ]
