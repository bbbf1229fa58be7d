"""Addresses of Settings › API: who hands tasks in, below manager/settings/api/."""  # noqa: RUF002 - as the page is named

from django.urls import URLPattern, URLResolver, path

from sync.views import sender_tokens as tokens
from sync.views import sender_webhooks as webhooks
from sync.views import senders

urlpatterns: list[URLPattern | URLResolver] = [
    path("", senders.sender_list, name="api_senders"),
    path("new/", senders.new, name="api_sender_new"),
    path("<uuid:sender>/", senders.sender_page, name="api_sender"),
    path("<uuid:sender>/tokens/", tokens.issue, name="api_token_issue"),
    path("<uuid:sender>/tokens/<uuid:token>/revoke/", tokens.revoke, name="api_token_revoke"),
    path("<uuid:sender>/webhook/secret/", webhooks.secret, name="api_webhook_secret"),
    path("<uuid:sender>/webhook/test/", webhooks.send_test, name="api_webhook_test"),
    path("<uuid:sender>/webhook/on/", webhooks.switch_on, name="api_webhook_on"),
    path("<uuid:sender>/webhook/again/", webhooks.tell_again, name="api_webhook_again"),
]
