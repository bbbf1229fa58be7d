"""A record as a browser sees it at `/<id>`, where links into the CRM lead: its fields, nothing to change."""

from html import escape
from typing import TYPE_CHECKING, Any

from sandbox.errors import not_found
from sandbox.ids import full_id
from sandbox.rest.call import Page, Response

if TYPE_CHECKING:
    from sandbox.org import Org

_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }}
th, td {{ border-bottom: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }}
td {{ overflow-wrap: anywhere; white-space: pre-wrap; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{kind} {id}, as the sandbox Salesforce has it.</p>
<table>
{rows}
</table>
</main>
</body>
</html>
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


def serve(org: "Org", given: str) -> Response:
    """ApiError when there is no such record."""
    record = full_id(given)
    found = _find(org, record) if record else None
    if found is None:
        raise not_found()
    kind, row = found
    title = row.get("Subject") or row.get("Name") or row.get("LastName") or row["Id"]
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_cell(org, name, row.get(name))}</td></tr>'
        for name in org.schema.types[kind].fields
    )
    page = _FRAME.format(title=escape(str(title)), kind=escape(kind), id=escape(row["Id"]), rows=rows)
    return Response(200, Page(page), dict(_HEADERS))


def _find(org: "Org", record: str) -> tuple[str, dict[str, Any]] | None:
    for kind in org.store.tables:
        row = org.store.row(kind, record)
        if row is not None:
            return kind, row
    return None


def _cell(org: "Org", name: str, value: Any) -> str:
    """An id that leads to another record is a link, with that record's name."""
    if value is None:
        return ""
    text = escape(str(value))
    other = _find(org, value) if name != "Id" and isinstance(value, str) and name.endswith("Id") else None
    if other is None:
        return text
    return f'<a href="/{text}">{text}</a> {escape(str(other[1].get("Name") or ""))}'.rstrip()
