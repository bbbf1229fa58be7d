"""The audit: who changed what, from what to what, when. Nobody changes it through the pages."""

from collections.abc import Iterator, Sequence
from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList as UnfoldChangeList

from teams import audit
from teams.admin.filters import DayRangeFilter
from teams.audit_words import Change, in_words, model_of
from teams.csv_text import csv_response
from teams.scoped_admin import Called, ReadOnlyAdmin, Text, badge, link, moment, viewer_of

ACTIONS: dict[int, tuple[Text, str]] = {
    LogEntry.Action.CREATE: (_("Created"), "good"),
    LogEntry.Action.UPDATE: (_("Changed"), "neutral"),
    LogEntry.Action.DELETE: (_("Deleted"), "bad"),
}
SHOWN = 300  # characters of one value in the list at first; all stands folded below, and in the file

admin.site.unregister(LogEntry)


class KindFilter(DropdownFilter):  # type: ignore[misc]
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        everyone = viewer_of(request).sees_everyone
        kinds = [model for model, kept in audit.kept().items() if everyone or kept.seen_by]
        return sorted(((_key(model), _kind(model)) for model in kinds), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {_key(model): model for model in audit.kept()}.get(self.value() or "")
        return queryset.filter(content_type=ContentType.objects.get_for_model(chosen)) if chosen else queryset


class ActionFilter(DropdownFilter):  # type: ignore[misc]
    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(str(number), word) for number, (word, _tone) in ACTIONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {str(number): number for number in ACTIONS}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(action=chosen)


class WhoFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("who")


class TimeFilter(DayRangeFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("time")


class ObjectFilter(DropdownFilter):  # type: ignore[misc]
    """One object's entries, as its page links to them; shown only when it is in use."""

    title = _("object")
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self._chosen()
        return [(self.value() or "", _kind(chosen[0]))] if chosen else []

    def has_output(self) -> bool:
        return self._chosen() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self._chosen()
        if chosen is None:
            return queryset
        return queryset.filter(content_type=ContentType.objects.get_for_model(chosen[0]), object_id=chosen[1])

    def _chosen(self) -> tuple[type[Model], int] | None:
        key, _colon, number = (self.value() or "").rpartition(":")
        model = {_key(each): each for each in audit.kept()}.get(key)
        return (model, int(number)) if model and number.isdecimal() and len(number) <= 18 else None


class Entries(UnfoldChangeList):  # type: ignore[misc]
    """A page of entries that know where their objects stand today: one query for each kind on the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        entries = list(self.result_list)  # type: ignore[has-type]
        pages = _pages_of(entries)
        for entry in entries:
            entry.page = pages.get((entry.content_type_id, entry.object_id), "")
        self.result_list = entries


@admin.register(LogEntry)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ("at", "who", "done", "what", "changes_in_words")
    list_display_links = None
    list_select_related = ("actor",)
    list_filter = (
        ("actor", WhoFilter),
        KindFilter,
        ActionFilter,
        ("timestamp", TimeFilter),
        ObjectFilter,
    )
    list_before_template = "admin/auditlog/above.html"
    search_fields = ("object_repr", "actor__name", "actor__email", "changes")
    search_help_text = _("Who, what, or a value")
    ordering = ("-timestamp", "-pk")
    sortable_by = ()
    paginator = InfinitePaginator  # counts nothing
    show_full_result_count = False
    when_empty = _("What people change in settings, teams, users and connections is written here.")

    def get_urls(self) -> list[URLPattern]:
        """There is the list and its file, and nothing else to call."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="auditlog_logentry_changelist"),
            path("export/", view(self.export), name="auditlog_logentry_export"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return audit.visible_to(super().get_queryset(request), viewer_of(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Entries

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = {
            "title": _("Audit"),
            "opts": Called(self.opts, _("entry"), _("Audit")),
            "export_query": request.GET.urlencode(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Give what the list holds under the same filters, without its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        try:
            entries = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            address = reverse("admin:auditlog_logentry_changelist")
            return HttpResponseRedirect(f"{address}?{ERROR_FLAG}=1")  # what the list itself does
        heading = [
            gettext("Time"),
            gettext("Who"),
            gettext("E-mail"),
            gettext("Action"),
            gettext("Kind"),
            gettext("Object"),
            gettext("What"),
            gettext("From"),
            gettext("To"),
        ]
        return csv_response("audit.csv", heading, _rows(entries))

    @admin.display(description=_("time"))
    def at(self, entry: Any) -> SafeString | None:
        return moment(entry.timestamp)

    @admin.display(description=_("who"))
    def who(self, entry: Any) -> str:
        return _who(entry)

    @admin.display(description=_("action"))
    def done(self, entry: Any) -> SafeString:
        word, tone = ACTIONS.get(entry.action, (entry.get_action_display(), "neutral"))
        return badge(word, tone)

    @admin.display(description=_("what"))
    def what(self, entry: Any) -> SafeString:
        name = link(entry.page, entry.object_repr) if entry.page else entry.object_repr
        return format_html('<div><span class="pb-quiet">{}</span> {}</div>', _kind(model_of(entry)), name)

    @admin.display(description=_("from → to"))
    def changes_in_words(self, entry: Any) -> SafeString | str:
        lines = [_unfolding(str(change)) for change in in_words(model_of(entry), entry.changes)]
        return format_html("<div>{}</div>", format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines)))


def _unfolding(text: str) -> SafeString | str:
    """Show the beginning of a long text, and all of it to who opens it."""
    if len(text) <= SHOWN:
        return text
    return format_html("<details><summary>{}</summary>{}</details>", Truncator(text).chars(SHOWN), text)


def _key(model: type[Model]) -> str:
    return model._meta.label_lower  # noqa: SLF001 - Django documents it


def _kind(model: type[Model] | None) -> str:
    return capfirst(str(model._meta.verbose_name)) if model else gettext("Something that is gone")  # noqa: SLF001


def _who(entry: Any) -> str:
    if entry.actor:
        return str(entry.actor)
    return str((entry.additional_data or {}).get("by") or gettext("System"))


def _pages_of(entries: Sequence[Any]) -> dict[tuple[int, int], str]:
    """Return where the entries' objects stand today, by kind and number; what is gone has no page."""
    pages: dict[tuple[int, int], str] = {}
    wanted: dict[int, set[int]] = {}
    for entry in entries:
        wanted.setdefault(entry.content_type_id, set()).add(entry.object_id)
    for model, kept in audit.kept().items():
        kind = ContentType.objects.get_for_model(model).pk
        if kept.page is None or kind not in wanted:
            continue
        objects: QuerySet[Any] = model._default_manager.select_related(*kept.related)  # noqa: SLF001
        for obj in objects.filter(pk__in=wanted[kind]):
            pages[kind, obj.pk] = kept.page(obj)
    return pages


def _rows(entries: QuerySet[Any]) -> Iterator[Sequence[object]]:
    """Give a line for each thing that changed, in the zone of who asked, although the request has ended by then."""
    zone = timezone.get_current_timezone()

    def lines() -> Iterator[Sequence[object]]:
        for entry in entries.iterator(chunk_size=2000):
            model = model_of(entry)
            word, _tone = ACTIONS.get(entry.action, (entry.get_action_display(), ""))
            at = entry.timestamp.astimezone(zone).isoformat(sep=" ", timespec="seconds")
            first = [at, _who(entry), entry.actor_email or "", word, _kind(model), entry.object_repr]
            with timezone.override(zone):
                changes = in_words(model, entry.changes)
            for change in changes or [Change("", "", "")]:
                yield [*first, change.what, change.before, change.after]

    return lines()
