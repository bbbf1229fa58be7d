"""Blacklists from and to CSV files: nothing is saved before its preview was seen, and nothing is kept in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from blacklist.csv_files import COLUMNS, cells_of
from blacklist.desk import Desk, company_desk, my_desk
from blacklist.forms import ImportForm
from blacklist.listing import rules_of, standing_of
from blacklist.models import RuleKind
from blacklist.review import Review, Standing, review
from blacklist.rules import Parsed, ParsedRule
from blacklist.saving import Change, EarlierSave, StaleBlacklistError, save
from teams.csv_text import csv_response
from teams.pages import manager_page, settings_page

SHOWN = 50  # new entries of a preview, and doubts
SHOWN_GOING = 20  # entries that a replacing import removes
PREVIEW_HOLDS = timedelta(hours=1)
LONGEST_PREVIEW = 2_000_000  # characters; DATA_UPLOAD_MAX_MEMORY_SIZE bounds what comes back


@manager_page("blacklist.view_rule", "blacklist.change_rule")
@require_http_methods(["GET", "HEAD", "POST"])
def import_company(request: HttpRequest) -> HttpResponse:
    return _import(request, company_desk(request))


@settings_page
@require_http_methods(["GET", "HEAD", "POST"])
def import_mine(request: HttpRequest) -> HttpResponse:
    return _import(request, my_desk(request))


@manager_page("blacklist.view_rule")
@require_safe
def export_company(request: HttpRequest) -> HttpResponseBase:
    return _exported(company_desk(request), "company-blacklist.csv")


@settings_page
@require_safe
def export_mine(request: HttpRequest) -> HttpResponseBase:
    return _exported(my_desk(request), "my-blacklist.csv")


@dataclass(frozen=True, slots=True)
class _Preview:
    """What an import would do to a blacklist of this version."""

    review: Review
    version: int
    replacing: bool
    going: Sequence[Standing]  # in the list's order
    added: int
    carried: str
    earlier: Sequence[EarlierSave] | None = None

    @property
    def first(self) -> Sequence[ParsedRule]:
        return self.review.rules[:SHOWN]

    @property
    def removed(self) -> int:
        return len(self.going)

    @property
    def first_going(self) -> Sequence[tuple[str, str]]:
        return [(rule.value, str(RuleKind(rule.kind).label)) for rule in self.going[:SHOWN_GOING]]

    @property
    def empties(self) -> bool:
        return bool(self.going) and not self.review.rules

    @property
    def counts(self) -> dict[str, str]:
        """The numbers as texts write them."""
        return {
            "removed": number_format(self.removed, force_grouping=True),
            "added": number_format(self.added, force_grouping=True),
        }


def _import(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method != "POST":
        return _shown(request, desk, ImportForm())
    if request.POST.get("action", "").startswith("import"):
        return _confirmed(request, desk)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _shown(request, desk, form)
    preview = _preview(desk, form.found.parsed, replacing=form.cleaned_data["mode"] == "replace")
    if len(preview.carried) > LONGEST_PREVIEW:
        form.add_error("file", _("The file's entries are too long together. Import it in parts."))
        return _shown(request, desk, form)
    return _shown(request, desk, form, {"preview": preview})


def _preview(desk: Desk, parsed: Parsed, *, replacing: bool, earlier: Sequence[EarlierSave] | None = None) -> _Preview:
    version = desk.rule_set().version
    standing = standing_of(desk.owner)
    found = review([parsed], standing, replacing=replacing)
    going, added = _exchanged(parsed, standing) if replacing else ([], len(found.rules))
    content = {
        "version": version,
        "replacing": replacing,
        "rules": [(rule.kind, rule.value, rule.match, rule.ignore_quoted, rule.warnings) for rule in parsed.rules],
    }
    carried = signing.dumps(content, salt=_salt(desk), compress=True)
    return _Preview(found, version, replacing, going, added, carried, earlier)


def _exchanged(parsed: Parsed, standing: Sequence[Standing]) -> tuple[list[Standing], int]:
    """Return which own entries go when `parsed` takes their place, and how many of it are new."""
    own = {(rule.kind, rule.match): rule for rule in standing if not rule.company}
    wanted = {(rule.kind, rule.match) for rule in parsed.rules}
    return [own[key] for key in sorted(own.keys() - wanted)], len(wanted - own.keys())


def _salt(desk: Desk) -> str:
    """A preview counts for who made it, and for this blacklist alone."""
    return f"blacklist.import.{desk.name}.{desk.viewer.pk}"


def _confirmed(request: HttpRequest, desk: Desk) -> HttpResponse:
    try:
        content = signing.loads(request.POST.get("carried", ""), salt=_salt(desk), max_age=PREVIEW_HOLDS)
    except signing.BadSignature:
        form = ImportForm()
        error = _("This preview no longer counts, so nothing was imported. Choose the file again.")
        return _shown(request, desk, form, {"error": error}, status=400)
    parsed = Parsed(rules=_rules(content["rules"]))
    rules = parsed.rules
    if request.POST["action"] == "import_leaving_out":
        rules = review([parsed], standing_of(desk.owner), replacing=True).leaving_out_quoted()
    try:
        saved = save(desk.owner, content["version"], Change(rules, replace=content["replacing"]), actor=desk.viewer)
    except StaleBlacklistError as stale:
        preview = _preview(desk, parsed, replacing=content["replacing"], earlier=stale.earlier)
        return _shown(request, desk, ImportForm(), {"preview": preview}, status=409)
    text = _("Imported: %(added)s added, %(removed)s removed, %(changed)s with another option.")
    counts = {"added": saved.added, "removed": saved.removed, "changed": saved.changed}
    messages.success(
        request, text % {name: number_format(count, force_grouping=True) for name, count in counts.items()}
    )
    return redirect(desk.page)


def _rules(rows: list[tuple[str, str, str, bool, list[str]]]) -> list[ParsedRule]:
    return [
        ParsedRule(RuleKind(kind), value, match, ignore_quoted, warnings=tuple(warnings))
        for kind, value, match, ignore_quoted, warnings in rows
    ]


def _shown(
    request: HttpRequest, desk: Desk, form: ImportForm, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    title = _("Import into the Company Blacklist") if desk.is_company else _("Import into My Blacklist")
    return desk.render(request, "blacklist/import.html", title, {"form": form, **(context or {})}, status=status)


def _exported(desk: Desk, name: str) -> HttpResponseBase:
    rows = rules_of(desk.owner).order_by("kind", "match").values_list("kind", "value", "ignore_quoted")
    return csv_response(name, COLUMNS, (cells_of(*row) for row in rows.iterator()))
