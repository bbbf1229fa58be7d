"""Removing a passkey; everything else about them is django-allauth's."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import views
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from teams.scoped_admin import viewer_of


@login_required
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse to remove the only factor of who needs one: django-allauth asks that for authenticator apps alone."""
    adapter = get_adapter()
    mine = Authenticator.objects.filter(user=viewer_of(request), type=Authenticator.Type.WEBAUTHN)
    if not adapter.can_delete_authenticator(get_object_or_404(mine, pk=pk)):
        messages.error(request, adapter.error_messages["cannot_delete_authenticator"])
        return redirect("mfa_list_webauthn")
    response: HttpResponse = views.remove_webauthn(request, pk=pk)
    return response
