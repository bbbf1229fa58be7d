"""A sender's webhook: its secret, a test, and telling again what nobody took."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from sync import webhook_events, webhook_settling, webhooks
from sync.enums import WebhookError
from sync.models import Sender, WebhookDelivery
from sync.views.senders import show, show_secret
from sync.webhook_http import Reply
from teams import audit
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page("sync.view_sender", "sync.change_sender")
def secret(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Ask, and give the webhook a new secret, shown once."""
    the_sender = _with_webhook(sender)
    if request.method != "POST":
        context = {"sender": the_sender}
        return render_manager_page(request, "senders/new_secret.html", gettext_lazy("A new secret?"), context)
    try:
        new = webhooks.change_secret(the_sender, at_once=request.POST.get("at_once") == "yes")
    except ImproperlyConfigured:
        # The old one was written with a key that is lost: it signs nothing any more.
        new = webhooks.change_secret(the_sender, at_once=True)
    audit.note(viewer_of(request), the_sender, {_("webhook secret"): ("", _("changed"))})
    return show_secret(request, the_sender, new)


@require_POST
@manager_page("sync.view_sender", "sync.change_sender")
def send_test(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Send a test event at once, and show what the receiver said."""
    the_sender = _with_webhook(sender)
    try:
        reply = webhooks.send_test(the_sender)
    except (ImproperlyConfigured, ValueError):
        reply = Reply(error=WebhookError.SECRET)
    words = webhook_settling.words_of(reply.error or "", reply.status)
    return show(request, the_sender, reply={"reply": reply, "words": words, "said": reply.text[:1000]})


@require_POST
@manager_page("sync.view_sender", "sync.change_sender")
def switch_on(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Tell a receiver again that had wanted no more."""
    the_sender = _with_webhook(sender)
    webhook_settling.begin_anew(the_sender)
    audit.note(viewer_of(request), the_sender, {_("webhook"): (_("switched off"), _("on"))})
    messages.success(request, _("The webhook is on again. What ends from now on is told."))
    return redirect("api_sender", sender)


@require_POST
@manager_page("sync.view_sender", "sync.change_sender")
def tell_again(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Make one delivery due at once, or all that were given up."""
    the_sender = _with_webhook(sender)
    deliveries = WebhookDelivery.objects.given_up()
    if chosen := request.POST.get("delivery"):
        try:
            deliveries = WebhookDelivery.objects.filter(uuid=UUID(chosen))
        except ValueError:
            deliveries = WebhookDelivery.objects.none()
    count = webhook_events.tell_again(deliveries, the_sender)
    if count:
        text = ngettext("%(count)d is being told again.", "%(count)d are being told again.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, _("There is nothing to tell again: it was taken meanwhile."))
    return redirect("api_sender", sender)


def _with_webhook(sender: UUID) -> Sender:
    return get_object_or_404(Sender.objects.defer("webhook_secret").exclude(webhook_url=""), uuid=sender)
