"""Addresses of the Manager App's pages about the CRM, below manager/."""

from django.urls import URLPattern, URLResolver, path

from sync.admin.task_sync_log import task_sync_log
from sync.views import errors
from sync.views import task_sync_results as results

_TASK_SYNC = "settings/crm/task-sync/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(_TASK_SYNC, task_sync_log, name="task_sync"),
    path(f"{_TASK_SYNC}results/", results.results, name="task_sync_results"),
    path(f"{_TASK_SYNC}results/state/", results.state, name="task_sync_results_state"),
    path(f"{_TASK_SYNC}results/<uuid:export>/file/", results.download, name="task_sync_results_file"),
    path(f"{_TASK_SYNC}results/<uuid:export>/cancel/", results.cancel, name="task_sync_results_cancel"),
    path(f"{_TASK_SYNC}results/<uuid:export>/again/", results.again, name="task_sync_results_again"),
    path(f"{_TASK_SYNC}results/<uuid:export>/delete/", results.delete, name="task_sync_results_delete"),
    path(f"{_TASK_SYNC}errors/", errors.error_list, name="task_sync_errors"),
    path(f"{_TASK_SYNC}errors/<slug:signature>/retry/", errors.retry, name="task_sync_errors_retry"),
]
