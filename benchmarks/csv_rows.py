"""Task Sync Results written three ways, each in its process: `python -m benchmarks.csv_rows ours|copy|import-export`.

Reads the database of the environment; prints one JSON object: rows, seconds, bytes, and by how many megabytes the
process grew at its peak above what it took idle.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

# import-export holds everything in memory: with all million rows it would not end on most machines.
IMPORT_EXPORT_ROWS = 50_000

_COPY = """COPY (
    SELECT t.uuid, t.completed_at, u.name, u.email, u.crm_user_id, m.name, t.kind, t.subject, w.name, w.crm_id,
        x.name, x.crm_id, o.state, t.synced_at, t.crm_id, a.count, a.started_at, a.outcome, a.error_code,
        a.error_message, a.failure_mode, a.http_status, a.request_id, t.key
    FROM sync_task t
    JOIN teams_user u ON u.id = t.user_id
    LEFT JOIN teams_team m ON m.id = u.team_id
    LEFT JOIN sync_record w ON w.id = t.who_id
    LEFT JOIN sync_record x ON x.id = t.what_id
    LEFT JOIN (SELECT DISTINCT ON (task_id) task_id, state FROM sync_outboxrow ORDER BY task_id, id DESC) o
        ON o.task_id = t.id
    LEFT JOIN (SELECT DISTINCT ON (task_id) *, count(*) OVER (PARTITION BY task_id) AS count FROM sync_attempt
        ORDER BY task_id, id DESC) a ON a.task_id = t.id
    WHERE t.state = 'completed' AND t.completed_at >= now() - interval '30 days'
    ORDER BY t.completed_at, t.id
) TO STDOUT WITH (FORMAT csv, HEADER)"""


def ours() -> tuple[int, int]:
    """All slices one after the other, without the queue between them."""
    from sync import export_slices, exports  # noqa: PLC0415 - needs Django
    from sync.models import TaskSyncExport  # noqa: PLC0415
    from teams.models import User  # noqa: PLC0415

    vars(exports)["async_task"] = lambda *_args, **_kwargs: None
    export = exports.ask(User.objects.get(email="admin@bench.example"), exports.Wanted())
    while export.is_unfinished:
        assert export.lease_token
        export_slices.prepare(export.pk, export.lease_token)
        export = TaskSyncExport.objects.get(pk=export.pk)
    if not export.is_ready:
        raise RuntimeError(export.error)
    return export.rows_done, export.bytes


def copy() -> tuple[int, int]:
    """What PostgreSQL itself does with the same rows, columns and order."""
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    path = Path(settings.VAR_DIR) / "copy.csv"
    connection.ensure_connection()
    with path.open("wb") as file, connection.connection.cursor() as cursor:
        with cursor.copy(_COPY) as rows:
            for data in rows:
                file.write(data)
        os.fsync(file.fileno())
        count = cursor.rowcount
    return count, path.stat().st_size


def import_export() -> tuple[int, int]:
    """django-import-export as its documents begin: a ModelResource, exported to CSV."""
    from import_export import resources  # noqa: PLC0415

    from sync.models import Attempt  # noqa: PLC0415

    class AttemptResource(resources.ModelResource):  # type: ignore[misc]
        class Meta:
            model = Attempt

    text = AttemptResource().export(Attempt.objects.all()[:IMPORT_EXPORT_ROWS]).csv
    return IMPORT_EXPORT_ROWS, len(text)


WAYS: dict[str, Callable[[], tuple[int, int]]] = {"ours": ours, "copy": copy, "import-export": import_export}


def measure(way: str) -> dict[str, Any]:
    from django.contrib.sessions.models import Session  # noqa: PLC0415

    list(Session.objects.all()[:1])  # idle: everything imported, a connection open
    idle = _peak()
    began, cpu = time.perf_counter(), time.process_time()
    rows, size = WAYS[way]()
    return {
        "rows": rows,
        "bytes": size,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "grown_mb": _peak() - idle,
    }


def _peak() -> float:
    """Megabytes that this process has taken at most so far (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure(sys.argv[1])))
