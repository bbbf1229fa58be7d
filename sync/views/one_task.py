"""What the pages about one task have in common: whose it is, what a list's row shows of it, where one goes back to."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from sync.enums import TaskKind
from sync.models import Task
from sync.task_forms import form_class
from sync.views.my_tasks import Row, tabs, with_state
from sync.worklist import Show
from teams.models import User
from teams.scoped_admin import viewer_of


def task_or_404(viewer: User, uuid: UUID) -> Task:
    """Return a task that `viewer` may see; somebody else's is none."""
    tasks = Task.objects.visible_to(viewer).select_related("user", "record", "related_record", "step__play")
    return get_object_or_404(tasks, uuid=uuid)


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks, from a list: for a part of a page."""
    return bool(getattr(request, "htmx", False))


def way_back(request: HttpRequest) -> str:
    """Return the page that the form says one came from, if it is ours; else My tasks."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    if address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return reverse("my_tasks")


def with_values(address: str, **values: str) -> str:
    """Return `address` with these in its query; an empty value takes one out."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **values}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value})).geturl()


def typed_so_far(kind: TaskKind, data: QueryDict) -> dict[str, str]:
    """Return what was typed into a form that is shown anew, for a record or a kind that was just chosen."""
    typed = {name: str(data[name]) for name in form_class(kind).base_fields if name in data}
    if not typed.get("form_key"):
        typed.pop("form_key", None)
    return typed


def kept_aside(kind: TaskKind, data: QueryDict) -> dict[str, str]:
    """Return what was typed into the fields of other kinds: it is there again when one goes back."""
    others = {name for each in TaskKind for name in form_class(each).base_fields} - {*form_class(kind).base_fields}
    return {name: str(data[name]) for name in sorted(others) if data.get(name)}


def is_my_tasks(address: str) -> bool:
    return urlsplit(address).path == reverse("my_tasks")


def answer_row(request: HttpRequest, task: Task, said: str, **context: Any) -> HttpResponse:
    """Return the row of My tasks anew for htmx, with what is said of it and the counts of all parts."""
    viewer = viewer_of(request)
    today = timezone.localdate()
    row = Row.of(with_state(Task.objects.visible_to(viewer)).get(pk=task.pk), today, viewer)
    values = {
        "row": row,
        "said": said,
        "tabs": tabs(viewer, today, Show.TODAY, ""),
        "here": way_back(request),
        **context,
    }
    response = render(request, "my_tasks/answer.html", values)
    # Also where a form was asked for, which would have opened below the row.
    response["HX-Retarget"], response["HX-Reswap"] = f"#task-{task.uuid}", "outerHTML"
    return response
