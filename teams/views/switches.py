"""Switches on a page: a row that shows one, and the answer to whoever presses it, with JavaScript or without."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from teams.email_sync import Reason, State, in_words, last_change
from teams.models import EmailDirection, SwitchChoice, User
from teams.scoped_admin import Text
from teams.switching import Outcome, StaleSwitchError, SwitchRefusedError

# Sent by playbooks/static/playbooks/switches.js, which puts the answer in the row's place.
FRAGMENT = "X-Fragment"


@dataclass(frozen=True, slots=True)
class Row:
    """One switch on a page. `label` names it to who doesn't see where it stands; `next` is the page to return to."""

    key: str
    url: str
    title: Text
    label: Text
    text: str
    changed: str
    is_on: bool
    may_change: bool
    version: int
    next: str
    offers_follow: bool = False
    help: str = ""


def row_of(state: State, viewer: User, *, key: str, url: str, back: str) -> Row:
    """Return the row of one direction of one user, as `viewer` reads it.

    The last change stands on a line of its own where the reason doesn't say it already.
    """
    own = state.person.id == viewer.pk
    return Row(
        key=key,
        url=url,
        title=state.direction.label,
        label=state.direction.label if own else f"{state.direction.label}: {state.person.name}",
        text=in_words(state, viewer.pk),
        changed="" if state.reason == Reason.CHOSEN else last_change(state.own, state.person.id, viewer.pk),
        is_on=state.is_on,
        may_change=state.may_change,
        version=state.own.version,
        next=back,
        offers_follow=state.may_change and state.own.choice != SwitchChoice.NOT_CHOSEN,
    )


def direction_in(name: str) -> EmailDirection:
    """Return the direction that an address names; another isn't there."""
    try:
        return EmailDirection(name)
    except ValueError:
        raise Http404 from None


def choice_in(name: str) -> SwitchChoice:
    """Return the choice that a form names: on, off, or "follow" for not chosen."""
    try:
        return {"on": SwitchChoice.ON, "off": SwitchChoice.OFF, "follow": SwitchChoice.NOT_CHOSEN}[name]
    except KeyError:
        raise BadRequest("No such choice") from None


def seen_in(request: HttpRequest) -> int:
    """Return which version of the switch the form was made from."""
    value = request.POST.get("seen", "")
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise BadRequest("No version of a switch")
    return int(value)


def back_of(request: HttpRequest, default: str) -> str:
    """Return the page of this site that the form names to return to, or `default`."""
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if safe and back.startswith("/") else default


def wants_fragment(request: HttpRequest) -> bool:
    return FRAGMENT in request.headers


def press(request: HttpRequest, act: Callable[[], Outcome], row: Callable[[], Row]) -> HttpResponse:
    """Do `act` and answer with how the switch stands then, which `row` reads: its row, or the page it came from."""
    problem = ""
    try:
        act()
    except StaleSwitchError as error:
        problem = _("Nothing was changed: somebody was faster. %(last)s. Change it again if you still want to.") % {
            "last": last_change(error.current, None, request.user.pk or 0)
        }
    except SwitchRefusedError as error:
        problem = _("Nothing was changed. %(why)s") % {"why": in_words(error.state, request.user.pk or 0)}
    shown = row()
    if wants_fragment(request):
        context = {"row": shown, "problem": problem}
        response = render(request, "email_sync/switch.html", context)
        response[FRAGMENT] = "switch"
        return response
    if problem:
        messages.error(request, f"{shown.label}. {problem}")
    else:
        messages.success(request, f"{shown.label}. {shown.text}")
    return HttpResponseRedirect(shown.next)


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead to another page instead of answering with a row."""
    if wants_fragment(request):
        return HttpResponse(headers={"X-Location": url})
    return HttpResponseRedirect(url)
