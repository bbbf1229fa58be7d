"""Addresses of the tasks that people work on, below tasks/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import my_tasks

urlpatterns: list[URLPattern | URLResolver] = [
    path("", my_tasks.my_tasks, name="my_tasks"),
]
