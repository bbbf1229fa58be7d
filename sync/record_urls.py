"""Addresses of the CRM's records, below records/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import record, record_work, records

urlpatterns: list[URLPattern | URLResolver] = [
    path("", records.records, name="records"),
    path("open/", records.open_record, name="record_open"),
    path("<uuid:record>/", record.record_page_view, name="record"),
    path("<uuid:record>/states/", record.task_states, name="record_states"),
    path("<uuid:record>/log/<str:kind>/", record_work.log_task, name="record_log"),
    path("<uuid:record>/start-play/", record_work.start_play, name="record_start_play"),
    path("<uuid:record>/plays/<uuid:enrolment>/end/", record_work.end_play, name="record_end_play"),
]
