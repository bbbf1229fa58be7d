"""Addresses of the Manager App's pages about the blacklists, below manager/."""

from django.urls import URLPattern, URLResolver, path

from blacklist.views import files, rules

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/email/company-blacklist/", rules.company_blacklist, name="company_blacklist"),
    path("settings/email/company-blacklist/import/", files.import_company, name="company_blacklist_import"),
    path("settings/email/company-blacklist/export/", files.export_company, name="company_blacklist_export"),
]
