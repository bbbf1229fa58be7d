"""Addresses of the tasks that people work on, below tasks/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import ad_hoc_task, complete_task, correct_task, my_tasks, put_off_task
from sync.views import task as task_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", my_tasks.my_tasks, name="my_tasks"),
    path("new/", ad_hoc_task.new_task, name="task_new"),
    path("new/records/", ad_hoc_task.records_to_choose, name="task_new_records"),
    path("<uuid:task>/complete/", complete_task.complete_task, name="task_complete"),
    path("<uuid:task>/state/", complete_task.task_state, name="task_state"),
    path("<uuid:task>/skip/", put_off_task.skip, name="task_skip"),
    path("<uuid:task>/unskip/", put_off_task.unskip, name="task_unskip"),
    path("<uuid:task>/snooze/", put_off_task.snooze, name="task_snooze"),
    path("<uuid:task>/", task_views.task_page, name="task"),
    path("<uuid:task>/retry/", task_views.retry, name="task_retry"),
    path("<uuid:task>/cancel/", task_views.cancel, name="task_cancel"),
    path("<uuid:task>/correct/", correct_task.correct_task, name="task_correct"),
]
