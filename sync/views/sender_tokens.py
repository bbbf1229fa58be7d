"""A sender's tokens: issuing, which shows one once, and revoking."""

from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from sync.models import ApiToken, Sender
from sync.views.sender_form import TokenForm
from sync.views.senders import show, show_token
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of


@require_POST
@manager_page("sync.view_sender", "sync.add_apitoken")
def issue(request: HttpRequest, sender: UUID) -> HttpResponse:
    """Issue a token, and show it once. The same form again, from a reload, issues nothing."""
    the_sender = get_object_or_404(Sender.objects.defer("webhook_secret"), uuid=sender)
    form = TokenForm(request.POST)
    if not form.is_valid():
        return show(request, the_sender, token_form=form)
    try:
        with transaction.atomic():
            token, text = ApiToken.issue(the_sender, viewer_of(request), form.expires_at())
            ApiToken.objects.filter(pk=token.pk).update(uuid=form.cleaned_data["token"])
    except IntegrityError:
        messages.warning(
            request,
            _("This token was issued already, and is shown once only. If it is lost, revoke it and issue another."),
        )
        return redirect("api_sender", the_sender.uuid)
    return show_token(request, the_sender, token, text)


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page("sync.view_sender", "sync.change_apitoken")
def revoke(request: HttpRequest, sender: UUID, token: UUID) -> HttpResponse:
    """Ask, and revoke a token."""
    tokens = ApiToken.objects.select_related("sender").defer("sender__webhook_secret")
    the_token = get_object_or_404(tokens, uuid=token, sender__uuid=sender)
    if the_token.revoked_at is None and request.method != "POST":
        context = {"sender": the_token.sender, "token": the_token}
        return render_manager_page(request, "senders/revoke.html", gettext_lazy("Revoke this token?"), context)
    if the_token.revoked_at is None:
        the_token.revoked_at = timezone.now()
        the_token.save(update_fields=["revoked_at"])
        messages.success(request, _("Revoked: %(token)s is no longer accepted.") % {"token": the_token})
    else:
        messages.info(request, _("%(token)s was revoked already.") % {"token": the_token})
    return redirect("api_sender", sender)
