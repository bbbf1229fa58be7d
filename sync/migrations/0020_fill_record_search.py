# Records that are mirrored already become findable by their names' words and their numbers' endings.

from django.db import migrations

from sync.names import from_each_word
from sync.phones import digits

ROWS = 2_000


def fill(apps, schema_editor):
    record_name, record_phone = apps.get_model("sync", "RecordName"), apps.get_model("sync", "RecordPhone")
    for records in parts(apps.get_model("sync", "Record").objects.exclude(name="").only("name")):
        record_name.objects.bulk_create(
            record_name(record=record, place=min(word, 1), text=text)
            for record in records
            for word, text in enumerate(from_each_word(record.name))
        )
    for phones in parts(record_phone.objects.all()):
        for phone in phones:
            phone.ending = digits(phone.e164 or phone.number)[::-1]
        record_phone.objects.bulk_update(phones, ["ending"])


def parts(rows):
    last = 0
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:ROWS]):
        yield part
        last = part[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0019_record_search'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
