"""Addresses of everyone's settings about the blacklists, below settings/."""

from django.urls import URLPattern, URLResolver, path

from blacklist.views import files, rules

urlpatterns: list[URLPattern | URLResolver] = [
    path("email/my-blacklist/", rules.my_blacklist, name="my_blacklist"),
    path("email/my-blacklist/import/", files.import_mine, name="my_blacklist_import"),
    path("email/my-blacklist/export/", files.export_mine, name="my_blacklist_export"),
]
