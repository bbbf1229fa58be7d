"""The Manager App's pages about the CRM."""

from sync.admin import enrolments, jobs, outbox, plays, records, task_sync_log, tasks, troubles

__all__ = ["enrolments", "jobs", "outbox", "plays", "records", "task_sync_log", "tasks", "troubles"]
