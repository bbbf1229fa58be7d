"""The Company Blacklist (M18) and My Blacklist (M19): what stands there, adding, removing, SAVE CHANGES."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from blacklist.desk import Desk, company_desk, my_desk
from blacklist.forms import BlacklistForm
from blacklist.listing import PER_PAGE_BESIDE, Listing, Ticks, listing, rules_of
from blacklist.models import RuleSet
from blacklist.review import Doubt, now_needless
from blacklist.rules import shortened
from blacklist.saving import Change, EarlierSave, ForeignEntryError, Saved, StaleBlacklistError, save
from teams.pages import manager_page, settings_page

NAMED = 5  # entries that a message names
DOUBTS = 50  # that are listed; the others are counted


@manager_page("blacklist.view_rule", "blacklist.change_rule")
@require_http_methods(["GET", "HEAD", "POST"])
def company_blacklist(request: HttpRequest) -> HttpResponse:
    return _page(request, company_desk(request))


@settings_page
@require_http_methods(["GET", "HEAD", "POST"])
def my_blacklist(request: HttpRequest) -> HttpResponse:
    return _page(request, my_desk(request))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the page says above its form."""

    error: str = ""
    doubts: Sequence[Doubt] = ()
    quotable: bool = False
    earlier: Sequence[EarlierSave] | None = None  # None: nobody came first

    @property
    def first_doubts(self) -> Sequence[Doubt]:
        return self.doubts[:DOUBTS]

    @property
    def more_doubts(self) -> int:
        return max(0, len(self.doubts) - DOUBTS)


def _page(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method != "POST":
        rule_set = desk.rule_set()
        form = BlacklistForm(owner=desk.owner, initial={"version": rule_set.version})
        return _shown(request, desk, form, request.GET, Ticks(), rule_set=rule_set)
    try:
        ticks = Ticks.read(request.POST)
    except ValueError:
        return _forged(request, desk)
    if request.POST.get("action", "").startswith("save"):
        return _save(request, desk, ticks)
    # Searching and turning pages: what was typed and ticked stays, and nothing is judged yet.
    return _shown(request, desk, _as_typed(desk, request.POST), request.POST, ticks)


def _save(request: HttpRequest, desk: Desk, ticks: Ticks) -> HttpResponse:
    form = BlacklistForm(request.POST, owner=desk.owner, removed=ticks.removed)
    if not form.is_valid():
        return _shown(request, desk, form, request.POST, ticks)
    review = form.review
    if review.doubts and form.cleaned_data["confirmed"] != review.digest:
        again = _as_typed(desk, request.POST, confirmed=review.digest)
        return _shown(request, desk, again, request.POST, ticks, _Told(doubts=review.doubts, quotable=review.quotable))
    rules = review.leaving_out_quoted() if request.POST["action"] == "save_leaving_out" else review.rules
    change = Change(added=rules, removed=ticks.removed, options=ticks.options)
    try:
        saved = save(desk.owner, form.cleaned_data["version"], change, actor=desk.viewer)
    except StaleBlacklistError as stale:
        return _stale(request, desk, ticks, stale)
    except ForeignEntryError:
        return _forged(request, desk)
    _tell(request, form, saved)
    return redirect(desk.page)


def _stale(request: HttpRequest, desk: Desk, ticks: Ticks, stale: StaleBlacklistError) -> HttpResponse:
    form = _as_typed(desk, request.POST, version=stale.version)
    ticks = ticks.only_in(rules_of(desk.owner))
    return _shown(request, desk, form, request.POST, ticks, _Told(earlier=stale.earlier), status=409)


def _forged(request: HttpRequest, desk: Desk) -> HttpResponse:
    told = _Told(error=_("Nothing was saved: this form names entries that are not in this blacklist. Look again."))
    form = _as_typed(desk, request.POST, version=desk.rule_set().version)
    return _shown(request, desk, form, request.POST, Ticks(), told, status=400)


def _as_typed(desk: Desk, data: QueryDict, *, version: int | None = None, confirmed: str = "") -> BlacklistForm:
    """Return a form that says again what was typed, without judging it."""
    initial = {
        "senders": data.get("senders", ""),
        "keywords": data.get("keywords", ""),
        "ignore_quoted": "ignore_quoted" in data,
        "version": data.get("version", "") if version is None else version,
        "confirmed": confirmed,
    }
    return BlacklistForm(owner=desk.owner, initial=initial)


def _shown(
    request: HttpRequest,
    desk: Desk,
    form: BlacklistForm,
    data: QueryDict,
    ticks: Ticks,
    told: _Told | None = None,
    status: int = 200,
    rule_set: RuleSet | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "told": told or _Told(),
        "own": listing(rules_of(desk.owner), data, ticks),
        "company": None if desk.is_company else _beside(data),
        "rule_set": rule_set or desk.rule_set(),
    }
    return desk.render(request, "blacklist/rules.html", desk.title, context, status=status)


def _beside(data: QueryDict) -> Listing:
    """Return the Company Blacklist as it stands, unchangeable, beside somebody's own (M19)."""
    return listing(rules_of(None), data, prefix="company_", per_page=PER_PAGE_BESIDE)


def _tell(request: HttpRequest, form: BlacklistForm, saved: Saved) -> None:
    """Say after a save what it came to, and which entries were not needed."""
    if saved:
        counts = (
            (saved.added, ngettext("%s entry added", "%s entries added", saved.added)),
            (saved.removed, ngettext("%s entry removed", "%s entries removed", saved.removed)),
            (saved.changed, ngettext("%s option changed", "%s options changed", saved.changed)),
        )
        done = ", ".join(text % number_format(count, force_grouping=True) for count, text in counts if count)
        messages.success(request, _("Saved: %(done)s.") % {"done": done})
    else:
        messages.info(request, _("There was nothing to save."))
    review = form.review
    if review.there:
        names = _names([rule.value for rule in review.there])
        messages.info(request, _("Already there, and not added again: %(names)s.") % {"names": names})
    if review.twice:
        names = _names([rule.value for rule in review.twice])
        messages.info(request, _("Entered more than once, and added once: %(names)s.") % {"names": names})
    if needless := now_needless(review.rules, form.standing):
        names = _names([rule.value for rule in needless])
        messages.info(request, _("No longer needed, as a new entry stops the same: %(names)s.") % {"names": names})


def _names(values: list[str]) -> str:
    named = ", ".join(f"“{shortened(value)}”" for value in values[:NAMED])
    more = len(values) - NAMED
    if more <= 0:
        return named
    return _("%(names)s and %(more)s more") % {"names": named, "more": number_format(more, force_grouping=True)}
