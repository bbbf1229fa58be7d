"""Which field of the CRM's Task a slot goes into where it isn't the usual one, and what was last seen of the fields."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.crm.base import Names
from sync.crm.org_fields import OrgFields
from sync.crm.task_fields import CHOOSABLE
from sync.enums import SLOT_LABELS, Slot
from sync.models.connection import Connection


class FieldMappingQuerySet(models.QuerySet["FieldMapping"]):
    def names(self) -> Names:
        """Return the chosen fields by slot; empty for a slot that isn't sent."""
        return {Slot(slot): name for slot, name in self.values_list("slot", "field_name")}


class FieldMapping(models.Model):
    """A slot that goes into another field than the usual one. Without a row it is the usual one."""

    slot = models.CharField(
        _("what"), max_length=30, unique=True, choices=[(slot.value, SLOT_LABELS[slot]) for slot in CHOOSABLE]
    )
    field_name = models.CharField(
        _("field of the CRM's Task"), max_length=255, blank=True, help_text=_("Empty: it isn't sent.")
    )
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = FieldMappingQuerySet.as_manager()

    class Meta:
        verbose_name = _("field of a Task")
        verbose_name_plural = _("fields of a Task")

    def __str__(self) -> str:
        return str(SLOT_LABELS[Slot(self.slot)])


class FieldCheck(models.Model):
    """The fields of the org's Task as they were last looked at; kept apart, because they may be many."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="field_check")
    seen = models.JSONField()
    at = models.DateTimeField(_("looked at"))

    class Meta:
        verbose_name = _("look at the fields")
        verbose_name_plural = _("looks at the fields")

    def __str__(self) -> str:
        return str(self.connection)

    @property
    def org_fields(self) -> OrgFields:
        return OrgFields.from_json(self.seen)
