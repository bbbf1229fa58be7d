"""What of blacklists is kept in the audit: each save, as blacklist/saving.py notes it; of private rules only counts."""

from django.db.models import Q, QuerySet
from django.urls import reverse

from blacklist.models import RuleSet
from teams import audit
from teams.models import User
from teams.scoped_admin import page_of


def _seen_by(viewer: User) -> QuerySet[RuleSet]:
    """The Company Blacklist, and those of whom `viewer` may see."""
    return RuleSet.objects.filter(Q(user=None) | Q(user__in=User.objects.visible_to(viewer).values("pk")))


def _page(rule_set: RuleSet) -> str:
    return page_of(rule_set.user) if rule_set.user else reverse("company_blacklist")


audit.keep(RuleSet, [], seen_by=_seen_by, page=_page, related=("user",))
