"""Addresses of everyone's notices, below notices/."""

from django.urls import path

from teams import notice_views as views

urlpatterns = [
    path("", views.notice_list, name="notices"),
    path("read/", views.read_all, name="notices_read_all"),
    path("<uuid:uuid>/read/", views.read, name="notice_read"),
]
