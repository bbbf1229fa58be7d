"""One blacklist as one viewer works on it: whose it is, where its pages are, what frame is around them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from blacklist.models import RuleSet
from teams.models import User
from teams.pages import render_manager_page, render_settings_page
from teams.scoped_admin import viewer_of


@dataclass(frozen=True, slots=True)
class Desk:
    """`owner` None: the Company Blacklist. `name` is the page's address; its neighbours are <name>_import and so on."""

    viewer: User
    owner: User | None
    name: str

    @property
    def is_company(self) -> bool:
        return self.owner is None

    @property
    def title(self) -> str:
        return _("Company Blacklist") if self.is_company else _("My Blacklist")

    @property
    def page(self) -> str:
        return reverse(self.name)

    @property
    def import_page(self) -> str:
        return reverse(f"{self.name}_import")

    @property
    def export_page(self) -> str:
        return reverse(f"{self.name}_export")

    @property
    def try_page(self) -> str:
        return reverse(f"{self.name}_try")

    def rule_set(self) -> RuleSet:
        """Return the blacklist's row, unsaved before anybody has saved the blacklist."""
        rule_set = RuleSet.objects.select_related("changed_by").filter(user=self.owner).first()
        return rule_set or RuleSet(user=self.owner)

    def render(
        self, request: HttpRequest, template: str, title: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        """Render a page of this blacklist; `template` extends `frame`."""
        frame = "manager/base.html" if self.is_company else "settings/base.html"
        render = render_manager_page if self.is_company else render_settings_page
        return render(request, template, title, {"desk": self, "frame": frame, **context}, status=status)


def company_desk(request: HttpRequest) -> Desk:
    """Return the Company Blacklist; the page's guard has asked for the permission."""
    return Desk(viewer_of(request), None, "company_blacklist")


def my_desk(request: HttpRequest) -> Desk:
    """Return the viewer's own blacklist; nobody else's can be named."""
    viewer = viewer_of(request)
    return Desk(viewer, viewer, "my_blacklist")
