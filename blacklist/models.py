"""What stays private: the organisation's rules and each user's own."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from teams.models import User


class RuleKind(models.TextChoices):
    DOMAIN = "domain", _("Domain")
    ADDRESS = "address", _("Address")
    KEYWORD = "keyword", _("Keyword")


class RuleQuerySet(models.QuerySet["Rule"]):
    def of_company(self) -> Self:
        """The Company Blacklist (M18)."""
        return self.filter(user=None)

    def of_user(self, user: User) -> Self:
        """One user's My Blacklist (M19). Nobody else may ever list it."""
        return self.filter(user=user)

    def visible_to(self, viewer: User) -> Self:
        """The company's rules are everyone's to see; private ones their owner's alone, whatever the viewer's role."""
        return self.filter(Q(user=None) | Q(user=viewer))


class Rule(models.Model):
    """One entry of a blacklist."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="blacklist_rules",
        help_text=_("Empty: the Company Blacklist."),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=RuleKind.choices)
    value = models.CharField(_("value"), max_length=320)  # as it was entered, trimmed
    # What is compared: a domain in ASCII, with "=" in front when its sub-domains are free; an address in lower case
    # with its domain in ASCII; a keyword's words, case-folded, one space between them, "*" behind a prefix.
    match = models.CharField(max_length=640, editable=False)
    ignore_quoted = models.BooleanField(
        _("leave out signatures, disclaimers and quoted text"),
        default=False,
        help_text=_("Keywords only: what stands there alone doesn't stop a message."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("added by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("added at"), auto_now_add=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "match"], condition=Q(user=None), name="rule_once_in_company_blacklist"
            ),
            models.UniqueConstraint(fields=["user", "kind", "match"], name="rule_once_in_my_blacklist"),
        ]

    def __str__(self) -> str:
        # Never the words: whoever prints a rule may not be the one whose it is.
        return str(self.get_kind_display())


class RuleSet(models.Model):
    """One blacklist as a whole. `version` grows with every change: a matcher is compiled once for each."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="rule_set"
    )
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(_("changed at"), null=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("changed by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("blacklist")
        verbose_name_plural = _("blacklists")
        # Of the rows without a user there is one, too. (SQLite has no NULLS NOT DISTINCT.)
        constraints = [models.UniqueConstraint(models.Value(1), condition=Q(user=None), name="rule_set_one_of_company")]

    def __str__(self) -> str:
        return gettext("My Blacklist of %(user)s") % {"user": self.user} if self.user else gettext("Company Blacklist")
