"""The CRM's records as Playbooks mirrors them."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.enums import RecordKind
from sync.models.connection import Connection
from teams.crm_ids import CrmIdField


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

    @property
    def is_person(self) -> bool:
        """Whether it goes into WhoId: a Contact, a Lead, or a person account (through its contact)."""
        return RecordKind(self.kind).is_person or bool(self.person_contact_crm_id)


class RecordEmail(models.Model):
    """An e-mail address of a record, in lower case."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="emails")
    address = models.CharField(_("e-mail"), max_length=254)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        constraints = [models.UniqueConstraint(fields=["address", "record"], name="record_email_once")]

    def __str__(self) -> str:
        return self.address


class RecordPhone(models.Model):
    """A phone number of a record: as the CRM shows it, and in E.164 when it can be read."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(_("phone"), max_length=64)
    e164 = models.CharField(_("normalised"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="record_phone_once")]
        indexes = [models.Index(fields=["e164"], name="record_phone_e164")]

    def __str__(self) -> str:
        return self.number
