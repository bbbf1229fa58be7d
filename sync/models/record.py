"""The CRM's records as Playbooks mirrors them."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from sync.enums import RecordKind
from sync.models.connection import Connection
from sync.names import LONGEST, from_each_word
from sync.phones import digits
from teams.crm_ids import CrmIdField

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class CodePointField(models.CharField):  # type: ignore[type-arg]
    """Text that every database compares character by character, so that an index finds beginnings (see `begins`)."""

    def db_parameters(self, connection: "BaseDatabaseWrapper") -> Any:
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}


def begins(name: str, beginning: str) -> models.Q:
    """Return that the CodePointField `name` begins with `beginning`: a range of its index, unlike LIKE."""
    return models.Q((f"{name}__gte", beginning), (f"{name}__lt", beginning + chr(0x10FFFF)))


class EndingField(CodePointField):
    """The digits of a RecordPhone, the last first; filled whenever it is made or saved."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        value: str = digits(model_instance.e164 or model_instance.number)[::-1]
        setattr(model_instance, self.attname, value)
        return value


class Record(models.Model):
    """An Account, Contact, Lead, Opportunity or Case. With `fetched_at` empty only its id and kind are known."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="records")
    kind = models.CharField(_("kind"), max_length=12, choices=RecordKind.choices)
    crm_id = CrmIdField(_("CRM id"))
    name = models.CharField(_("name"), max_length=255, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="records",
    )
    owner_crm_id = CrmIdField(_("owner's CRM id"), blank=True)
    account_crm_id = CrmIdField(_("account's CRM id"), blank=True)
    # A person account is written to through its contact (WhoId).
    person_contact_crm_id = CrmIdField(_("person account's contact id"), blank=True)
    fields = models.JSONField(_("fields"), default=dict, blank=True)
    is_deleted = models.BooleanField(_("deleted in the CRM"), default=False)
    modified_at = models.DateTimeField(_("changed in the CRM at"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched at"), null=True, blank=True)
    # Since when the CRM has answered that there is none, or none that the Access User may see.
    missing_since = models.DateTimeField(_("not in the CRM since"), null=True, blank=True)
    created_at = models.DateTimeField(_("known since"), auto_now_add=True)

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        constraints = [models.UniqueConstraint(fields=["connection", "crm_id"], name="record_crm_id_once")]
        indexes = [
            models.Index(fields=["crm_id"], name="record_crm_id"),
            models.Index(fields=["name"], name="record_name"),
            models.Index(fields=["account_crm_id"], name="record_account"),
        ]

    def __str__(self) -> str:
        return self.name or self.crm_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            RecordName.keep([self])

    @property
    def is_person(self) -> bool:
        """Whether it goes into WhoId: a Contact, a Lead, or a person account (through its contact)."""
        return RecordKind(self.kind).is_person or bool(self.person_contact_crm_id)


class RecordName(models.Model):
    """A record's name from one of its words on, as it is searched (sync/names.py)."""

    PLACES = (0, 1)  # from its first word on, from a later one

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="names")
    place = models.PositiveSmallIntegerField()
    text = CodePointField(max_length=LONGEST)

    class Meta:
        indexes = [models.Index(fields=["place", "text", "record"], name="record_name_from_word")]

    def __str__(self) -> str:
        return str(self.text)

    @staticmethod
    def keep(records: Iterable[Record]) -> None:
        """Write anew what `records` are found by. Call it after names changed by `update` or `bulk_create`."""
        rows = list(records)
        RecordName.objects.filter(record__in=rows).delete()
        RecordName.objects.bulk_create(
            RecordName(record=record, place=min(word, 1), text=text)
            for record in rows
            for word, text in enumerate(from_each_word(record.name))
        )


class RecordEmail(models.Model):
    """An e-mail address of a record, in lower case."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="emails")
    address = CodePointField(_("e-mail"), max_length=254)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        constraints = [models.UniqueConstraint(fields=["address", "record"], name="record_email_once")]

    def __str__(self) -> str:
        return str(self.address)


class RecordPhone(models.Model):
    """A phone number of a record: as the CRM shows it, and in E.164 when it can be read."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(_("phone"), max_length=64)
    e164 = models.CharField(_("normalised"), max_length=32, blank=True)
    ending = EndingField(max_length=64, default="", editable=False)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="record_phone_once")]
        indexes = [
            models.Index(fields=["e164"], name="record_phone_e164"),
            models.Index(fields=["ending"], name="record_phone_ending"),
        ]

    def __str__(self) -> str:
        return self.number
