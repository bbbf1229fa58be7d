"""Addresses of the tasks that people work on, below tasks/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import my_tasks
from sync.views import task as task_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", my_tasks.my_tasks, name="my_tasks"),
    path("<uuid:task>/", task_views.task_page, name="task"),
    path("<uuid:task>/retry/", task_views.retry, name="task_retry"),
    path("<uuid:task>/cancel/", task_views.cancel, name="task_cancel"),
]
