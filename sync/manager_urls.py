"""Addresses of the Manager App's pages about the CRM, below manager/."""

from django.urls import URLPattern, URLResolver, path

from sync.admin import enrol_page
from sync.admin.task_sync_log import task_sync_log
from sync.views import crm_connection, crm_fields, crm_users, errors, rule_trial
from sync.views import crm_connection_browser as browser
from sync.views import task_import as imports
from sync.views import task_sync_results as results

_CONNECTION = "settings/crm/connection/"
_FIELDS = "settings/crm/fields/"
_TASK_SYNC = "settings/crm/task-sync/"
_IMPORT = "tasks/import/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(_CONNECTION, crm_connection.connection_page, name="crm_connection"),
    path(f"{_CONNECTION}check/", crm_connection.check_now, name="crm_connection_check"),
    path(f"{_CONNECTION}disconnect/", crm_connection.disconnect, name="crm_connection_disconnect"),
    path(f"{_CONNECTION}start/", browser.start, name="crm_connection_start"),
    path(f"{_CONNECTION}callback/", browser.callback, name="crm_connection_callback"),
    path(f"{_CONNECTION}review/", browser.review, name="crm_connection_review"),
    path(f"{_CONNECTION}accept/", browser.accept, name="crm_connection_accept"),
    path(f"{_CONNECTION}discard/", browser.discard, name="crm_connection_discard"),
    path(_FIELDS, crm_fields.fields_page, name="crm_fields"),
    path(f"{_FIELDS}check/", crm_fields.check_now, name="crm_fields_check"),
    path(f"{_FIELDS}as-usual/", crm_fields.as_usual, name="crm_fields_as_usual"),
    path(f"{_FIELDS}package/", crm_fields.package, name="crm_fields_package"),
    path("settings/email/company-blacklist/try/", rule_trial.try_company_rules, name="company_blacklist_try"),
    path(_TASK_SYNC, task_sync_log, name="task_sync"),
    path(f"{_TASK_SYNC}results/", results.results, name="task_sync_results"),
    path(f"{_TASK_SYNC}results/state/", results.state, name="task_sync_results_state"),
    path(f"{_TASK_SYNC}results/<uuid:export>/file/", results.download, name="task_sync_results_file"),
    path(f"{_TASK_SYNC}results/<uuid:export>/cancel/", results.cancel, name="task_sync_results_cancel"),
    path(f"{_TASK_SYNC}results/<uuid:export>/again/", results.again, name="task_sync_results_again"),
    path(f"{_TASK_SYNC}results/<uuid:export>/delete/", results.delete, name="task_sync_results_delete"),
    path(f"{_TASK_SYNC}errors/", errors.error_list, name="task_sync_errors"),
    path(f"{_TASK_SYNC}errors/<slug:signature>/retry/", errors.retry, name="task_sync_errors_retry"),
    path("plays/enrol/", enrol_page.enrol, name="plays_enrol"),
    path(_IMPORT, imports.imports, name="task_imports"),
    path(f"{_IMPORT}<uuid:task_import>/", imports.task_import, name="task_import"),
    path(f"{_IMPORT}<uuid:task_import>/state/", imports.state, name="task_import_state"),
    path(f"{_IMPORT}<uuid:task_import>/columns/", imports.choose_columns, name="task_import_columns"),
    path(f"{_IMPORT}<uuid:task_import>/start/", imports.start, name="task_import_start"),
    path(f"{_IMPORT}<uuid:task_import>/cancel/", imports.cancel, name="task_import_cancel"),
    path(f"{_IMPORT}<uuid:task_import>/refused/", imports.bad_lines, name="task_import_bad_lines"),
    path("users/without-crm-user/", crm_users.crm_users, name="crm_users"),
    path("users/without-crm-user/match/", crm_users.match_now, name="crm_users_match"),
    path("users/without-crm-user/<uuid:user>/", crm_users.choose, name="crm_users_choose"),
]
