"""Addresses of everyone's settings about the CRM, below settings/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import my_crm, rule_trial

urlpatterns: list[URLPattern | URLResolver] = [
    path("crm/", my_crm.my_crm, name="my_crm"),
    path("email/my-blacklist/try/", rule_trial.try_my_rules, name="my_blacklist_try"),
]
