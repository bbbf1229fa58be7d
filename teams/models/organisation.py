"""The organisation: its time zone, its own domains, and what it asks of everyone."""

from typing import Any, Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class SecondFactor(models.TextChoices):
    """Whose log-in needs a second factor. Whoever has one set up is asked for it anyway."""

    OPTIONAL = "optional", _("Nobody: everyone may choose it")
    ADMINS = "admins", _("Admins")
    MANAGERS = "managers", _("Managers and admins")
    EVERYONE = "everyone", _("Everyone")


def validate_time_zone(name: str) -> None:
    """Refuse a name that the tz database doesn't have."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone. Enter one like Europe/Berlin."), params={"name": name})


class Organisation(models.Model):
    """The one organisation of this installation (docs/decisions)."""

    name = models.CharField(_("name"), max_length=200, default="Playbooks")
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_("For everyone who has not chosen their own. Decides on which day a task stands in the CRM."),
    )
    phone_region = models.CharField(
        _("phone region"),
        max_length=2,
        default="US",
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Enter two capital letters, like US or DE."))],
        help_text=_("How numbers without a country code are read, for example US."),
    )
    # In ASCII (IDNA), sorted, none a sub-domain of another.
    own_domains = models.JSONField(
        _("own domains"),
        default=list,
        blank=True,
        help_text=_("Where your colleagues get their mail. A message between colleagues alone is internal."),
    )
    skip_internal_mail = models.BooleanField(
        _("leave out internal mail"),
        default=True,
        help_text=_("A message all of whose participants are colleagues is not synced."),
    )
    second_factor = models.CharField(
        _("second factor required of"),
        max_length=10,
        choices=SecondFactor.choices,
        default=SecondFactor.OPTIONAL,
        help_text=_("Who has none yet is asked to set one up at the next log-in, before anything else."),
    )

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisation")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_organisation")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def load(cls) -> Self:
        """Return the organisation, made with its defaults at the first call."""
        return cls.objects.get_or_create(pk=1)[0]
