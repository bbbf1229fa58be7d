"""Try a rule (B4): what the entries of a blacklist would stop, before they are saved."""

from collections.abc import Sequence
from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from blacklist.desk import Desk, company_desk, my_desk
from blacklist.forms import RulesForm
from blacklist.listing import Ticks, standing_of
from blacklist.rules import ParsedRule
from sync.mailbox.mbox import NotMailError
from sync.rule_trial import MAX_MESSAGES, Trial, candidates_in, try_rules
from sync.views.mail_upload import MAX_BYTES, is_too_large, takes_mail
from teams.pages import manager_page, settings_page


@csrf_exempt
@manager_page("blacklist.view_rule", "blacklist.change_rule")
@require_http_methods(["GET", "HEAD", "POST"])
@takes_mail
def try_company_rules(request: HttpRequest) -> HttpResponse:
    return _page(request, company_desk(request))


@csrf_exempt
@settings_page
@require_http_methods(["GET", "HEAD", "POST"])
@takes_mail
def try_my_rules(request: HttpRequest) -> HttpResponse:
    return _page(request, my_desk(request))


def _page(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method != "POST":
        return _shown(request, desk, RulesForm(owner=desk.owner), Ticks())
    try:
        ticks = Ticks.read(request.POST)
    except ValueError:
        ticks = Ticks()
    form = RulesForm(request.POST, owner=desk.owner, removed=ticks.removed)
    if not form.is_valid() or request.POST.get("action") != "run":
        return _shown(request, desk, form, ticks)
    if not form.review.rules:
        form.add_error("senders", _("Enter at least one domain, address or keyword that doesn't stand there already."))
        return _shown(request, desk, form, ticks)
    try:
        trial = _trial(request, desk, form.review.rules, ticks)
    except NotMailError as error:
        return _shown(request, desk, form, ticks, error=str(error))
    return _shown(request, desk, form, ticks, trial=trial)


def _trial(request: HttpRequest, desk: Desk, rules: Sequence[ParsedRule], ticks: Ticks) -> Trial:
    """Try the rules on the mail that was uploaded. NotMailError: there is none, or too much of it."""
    file = request.FILES.get("mail")
    if is_too_large(request):
        message = _("The file has more than %(most)s MB. Choose a smaller one.")
        raise NotMailError(message % {"most": MAX_BYTES // 1_000_000})
    if file is None or file.file is None:
        raise NotMailError(_("Choose an .eml or mbox file."))
    candidates = candidates_in(cast(BinaryIO, file.file), [desk.viewer.email])
    return try_rules(candidates, standing_of(desk.owner, ticks.removed), rules)


def _shown(
    request: HttpRequest, desk: Desk, form: RulesForm, ticks: Ticks, *, error: str = "", trial: Trial | None = None
) -> HttpResponse:
    names = (("remove", ticks.removed), ("quoted", ticks.quoted), ("was_quoted", ticks.was_quoted))
    context = {
        "form": form,
        "version": request.POST.get("version") or desk.rule_set().version,
        "carried": [(name, ",".join(map(str, uuids))) for name, uuids in names if uuids],
        "review": form.review,
        "error": error,
        "trial": trial,
        "most_messages": number_format(MAX_MESSAGES, force_grouping=True),
    }
    title = _("Try a rule: Company Blacklist") if desk.is_company else _("Try a rule: My Blacklist")
    return desk.render(request, "sync/rule_trial.html", title, context)
