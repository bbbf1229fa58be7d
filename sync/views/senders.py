"""Settings › API: the tools that hand tasks in, and one of them."""  # noqa: RUF002 - as the page is named

import uuid
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sync import webhook_settling, webhooks
from sync.models import ApiToken, Sender, WebhookDelivery
from sync.views.sender_facts import (
    delivery_rows,
    received_words,
    token_row,
    webhook_badge,
    with_figures,
)
from sync.views.sender_form import SenderForm, TokenForm
from teams.pages import manager_page, render_manager_page

PER_PAGE = 50
TOKENS = 100


@require_safe
@manager_page("sync.view_sender")
def sender_list(request: HttpRequest) -> HttpResponse:
    """List the senders; without any, say what the API is and how to begin."""
    now = timezone.now()
    page = Paginator(with_figures(now).order_by("name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {"sender": each, "received": received_words(each.received_lately), "webhook": webhook_badge(each, now)}  # type: ignore[attr-defined]
        for each in page.object_list
    ]
    return render_manager_page(request, "senders/list.html", gettext_lazy("API"), {"page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page("sync.view_sender", "sync.add_sender")
def new(request: HttpRequest) -> HttpResponse:
    """Make a sender."""
    form = SenderForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            sender = form.save()
            secret = webhooks.change_secret(sender, at_once=True) if sender.webhook_url else ""
        messages.success(request, _("%(name)s may hand tasks in, once it has a token.") % {"name": sender.name})
        return show_secret(request, sender, secret) if secret else redirect("api_sender", sender.uuid)
    return render_manager_page(request, "senders/new.html", gettext_lazy("New sender"), {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page("sync.view_sender", "sync.change_sender")
def sender_page(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Show and change one sender."""
    the_sender = get_object_or_404(Sender.objects.defer("webhook_secret"), uuid=sender)
    if request.method != "POST":
        return show(request, the_sender)
    # This asks the name server, which may take its time: nothing is locked yet.
    form = SenderForm(request.POST, instance=the_sender)
    if not form.is_valid():
        return show(request, the_sender, form=form)
    with transaction.atomic():
        locked = get_object_or_404(Sender.objects.defer("webhook_secret").select_for_update(), pk=the_sender.pk)
        former_url = locked.webhook_url
        form = SenderForm(request.POST, instance=locked, is_looked_up=True)
        if not form.is_valid():
            return show(request, the_sender, form=form)
        saved = form.save()
        if saved.webhook_url != former_url:
            webhook_settling.begin_anew(saved)
        # The old receiver's secret is not the new one's.
        secret = ""
        if saved.webhook_url and not former_url:
            secret = webhooks.change_secret(saved, at_once=True)
    messages.success(request, _("Saved."))
    return show_secret(request, saved, secret) if secret else redirect("api_sender", saved.uuid)


def show(
    request: HttpRequest,
    sender: Sender,
    *,
    form: SenderForm | None = None,
    token_form: TokenForm | None = None,
    reply: Any = None,
) -> HttpResponse:
    """Render a sender's page: a form with what is wrong with it, or what a receiver said to a test."""
    now = timezone.now()
    stored = with_figures(now).get(pk=sender.pk)
    tokens = ApiToken.objects.filter(sender=stored).select_related("created_by", "sender")
    tokens = tokens.defer("sender__webhook_secret")
    context = {
        "sender": stored,
        "form": form or SenderForm(instance=stored),
        "token_form": token_form or TokenForm(initial={"token": uuid.uuid4()}),
        "tokens": [token_row(each, now) for each in tokens[:TOKENS]],
        "received": received_words(stored.received_lately),  # type: ignore[attr-defined]
        "webhook": webhook_badge(stored, now),
        "receiver": getattr(stored, "receiver", None),
        "deliveries": delivery_rows(stored),
        "has_given_up": WebhookDelivery.objects.given_up().filter(sender=stored).exists(),
        "reply": reply,
    }
    status = 200 if form is None and token_form is None else 422
    return render_manager_page(request, "senders/page.html", stored.name, context, status)


def show_secret(request: HttpRequest, sender: Sender, secret: str) -> HttpResponse:
    """Show a webhook's secret, this once: it goes into no message, session or log."""
    context = {"sender": sender, "secret": secret}
    return render_manager_page(request, "senders/secret.html", gettext_lazy("The webhook's secret"), context)


def show_token(request: HttpRequest, sender: Sender, token: ApiToken, text: str) -> HttpResponse:
    """Show a token's text, this once."""
    context = {"sender": sender, "token": token, "text": text, "site": settings.SITE_URL}
    return render_manager_page(request, "senders/token.html", gettext_lazy("The new token"), context)
