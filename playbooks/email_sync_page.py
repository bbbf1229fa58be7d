"""Settings › Email › CRM Email Sync of the whole organisation: its switches, its own domains, internal mail."""  # noqa: RUF002

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from blacklist.models import Rule, RuleKind
from playbooks.own_domains import Internal, StaleFormError, read, rules_on, save
from teams.email_sync import Switch, last_change
from teams.email_sync_facts import Reach, organisation_switches, reach
from teams.models import EmailDirection, Organisation, SwitchChoice, User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of
from teams.switching import switch_organisation
from teams.views.switches import Row, choice_in, direction_in, go_to, press, seen_in

TITLE = gettext_lazy("CRM Email Sync")
MOST_NAMED = 10  # rules that a message names
HELP = {
    EmailDirection.OUTBOUND: gettext_lazy(
        "E-mails that users send from Gmail and Outlook are logged on existing records in the CRM. "
        "Switched on, it is on for every user except where it was switched off for one."
    ),
    EmailDirection.INBOUND: gettext_lazy(
        "E-mails that users get in Gmail and Outlook are logged on existing records in the CRM. "
        "Switched on, it is on for every user except where it was switched off for one."
    ),
    EmailDirection.ATTACHMENTS: gettext_lazy(
        "Files that come with a synced e-mail go to the CRM with it. This is for everyone; no user can change it."
    ),
}


class InternalMailForm(forms.Form):
    """The own domains and what is done with internal mail; `seen` is what stood there when the form was made."""

    domains = forms.CharField(
        label=gettext_lazy("Own domains"),
        help_text=gettext_lazy(
            "One per line or comma separated, for example example.com. Sub-domains are included. "
            "A message between people at these domains alone is internal."
        ),
        widget=forms.Textarea(attrs={"rows": 5, "autocapitalize": "off", "spellcheck": "false"}),
        max_length=50_000,
        required=False,
    )
    skip = forms.BooleanField(
        label=gettext_lazy("Leave out internal mail"),
        help_text=gettext_lazy("For every user: a message all of whose participants are colleagues is not synced."),
        required=False,
    )
    really = forms.BooleanField(
        label=gettext_lazy("Yes, everybody at these domains is a colleague"), required=False, widget=forms.HiddenInput
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=300_000, required=False)

    pointed_out: list[str]

    def clean_domains(self) -> list[str]:
        """Return the domains as they are kept, or say of each line what is wrong with it."""
        typed = read(self.cleaned_data["domains"])
        if typed.errors:
            raise forms.ValidationError(typed.errors)
        self.pointed_out = typed.pointed_out
        known = Internal.seen(self.data.get("seen", "")).domains
        if (new := [domain for domain in typed.doubtful if domain not in known]) and self.data.get("really") != "on":
            self.fields["really"].widget = forms.CheckboxInput()
            text = _(
                "Strangers have addresses at %(domains)s, too: mail with them would count as internal. Confirm below."
            )
            raise forms.ValidationError(text % {"domains": ", ".join(new)})
        return typed.domains


@manager_page("teams.view_emailswitch", "teams.change_emailswitch")
def email_sync(request: HttpRequest) -> HttpResponse:
    """Show the organisation's switches, and save its own domains."""
    if request.method != "POST":
        return _page(request, _form_of(Internal.of(Organisation.load())))
    form = InternalMailForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    wanted = Internal(tuple(form.cleaned_data["domains"]), form.cleaned_data["skip"])
    seen = Internal.seen(form.cleaned_data["seen"])
    try:
        changed = save(wanted, seen=seen)
    except StaleFormError as error:
        text = _(
            "Nothing was saved: somebody was faster (%(changes)s). "
            "What you typed still stands here; save again to keep it."
        )
        messages.error(request, text % {"changes": seen.changes_to(error.current)})
        return _page(request, _form_of(error.current, typed=form), status=409)
    messages.success(request, _("Saved.") if changed else _("Nothing was different."))
    for text in form.pointed_out:
        messages.info(request, text)
    if changed and (text := _contradiction(wanted)):
        messages.warning(request, text)
    return HttpResponseRedirect(reverse("email_sync"))


def _contradiction(wanted: Internal) -> str:
    """Say which entries of the Company Blacklist stop all mail in which a colleague takes part."""
    rules = Rule.objects.of_company().filter(kind=RuleKind.DOMAIN).order_by("match").values_list("match", "value")
    values = dict(rules)
    if not (found := rules_on(wanted.domains, values)):
        return ""
    named = ", ".join([*(values[match] for match in found[:MOST_NAMED]), *(["…"] if len(found) > MOST_NAMED else [])])
    text = _("The Company Blacklist has %(rules)s, which stops the mail of your own organisation. Remove it there.")
    return text % {"rules": named}


@manager_page("teams.view_emailswitch", "teams.change_emailswitch")
def email_sync_switch(request: HttpRequest, direction: str) -> HttpResponse:
    """Set one of the organisation's switches (M13, M16)."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("email_sync"))
    viewer, which = viewer_of(request), direction_in(direction)
    choice, seen = choice_in(request.POST.get("choice", "")), seen_in(request)
    if choice == SwitchChoice.NOT_CHOSEN:
        choice = SwitchChoice.OFF
    if choice == SwitchChoice.ON and "anyway" not in request.POST and _should_fill_first(which):
        return go_to(request, reverse("email_sync_first", args=(direction,)))
    return press(
        request,
        lambda: switch_organisation(viewer, which, choice, seen=seen),
        lambda: _row(which, organisation_switches()[which], reach()[which], viewer),
    )


@manager_page("teams.view_emailswitch", "teams.change_emailswitch")
def email_sync_first(request: HttpRequest, direction: str) -> HttpResponse:
    """Suggest to fill the Company Blacklist before the first e-mail goes out (M13)."""
    which = direction_in(direction)
    switch = organisation_switches()[which]
    context = {"direction": which, "version": switch.version, "count": reach()[which].on}
    return render_manager_page(request, "manager/email_sync_first.html", TITLE, context)


def _should_fill_first(direction: EmailDirection) -> bool:
    """Whether nothing is synced yet and nothing is blocked either."""
    if direction == EmailDirection.ATTACHMENTS:
        return False
    switches = organisation_switches()
    on = [which for which, switch in switches.items() if switch.choice == SwitchChoice.ON]
    return not set(on) - {EmailDirection.ATTACHMENTS} and not Rule.objects.of_company().exists()


def _page(request: HttpRequest, form: InternalMailForm, status: int = 200) -> HttpResponse:
    viewer = viewer_of(request)
    reaches = reach()
    switches = organisation_switches()
    context: dict[str, Any] = {
        "rows": [_row(direction, switch, reaches[direction], viewer) for direction, switch in switches.items()],
        "form": form,
        "blacklist_is_empty": not Rule.objects.of_company().exists(),
    }
    return render_manager_page(request, "manager/email_sync.html", TITLE, context, status=status)


def _form_of(current: Internal, typed: InternalMailForm | None = None) -> InternalMailForm:
    """Return the form as it stands, or with what was typed into a stale one; it has seen `current`."""
    initial = {"domains": "\n".join(current.domains), "skip": current.skip, "seen": str(current)}
    if typed is not None:
        initial |= {"domains": typed["domains"].value(), "skip": typed.cleaned_data["skip"]}
    return InternalMailForm(initial=initial)


def _row(direction: EmailDirection, switch: Switch, reached: Reach, viewer: User) -> Row:
    is_on = switch.choice == SwitchChoice.ON
    return Row(
        key=f"organisation-{direction.value}",
        url=reverse("email_sync_switch", args=(direction.value,)),
        title=direction.label,
        label=_("%(direction)s for the whole organisation") % {"direction": direction.label},
        text=_effect(direction, reached, is_on=is_on),
        changed=last_change(switch, None, viewer.pk),
        is_on=is_on,
        may_change=True,
        version=switch.version,
        next=reverse("email_sync"),
        help=str(HELP[direction]),
    )


def _effect(direction: EmailDirection, reached: Reach, *, is_on: bool) -> str:
    """Say how many users the switch reaches, and how many it doesn't and why."""
    if is_on:
        text = ngettext("On for %(count)d user.", "On for %(count)d users.", reached.on)
    else:
        text = ngettext(
            "Off. Switched on, it is on for %(count)d user.",
            "Off. Switched on, it is on for %(count)d users.",
            reached.on,
        )
    said: list[tuple[int, Callable[[int], str]]] = [
        (
            reached.chosen_off,
            lambda n: ngettext("%(count)d has it off.", "%(count)d have it off.", n),
        ),
        (reached.smtp, lambda n: ngettext("%(count)d can't: SMTP.", "%(count)d can't: SMTP.", n)),
        (reached.without_mailbox, lambda n: ngettext("%(count)d has no mailbox.", "%(count)d have no mailbox.", n)),
    ]
    parts = [text % {"count": reached.on}, *(words(n) % {"count": n} for n, words in said if n)]
    return " ".join(parts)
