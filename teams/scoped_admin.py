"""What all pages of the Manager App share: scope, addresses and exact search by CRM id."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote
from django.core.exceptions import BadRequest
from django.db.models import Field, ForeignKey, IntegerField, ManyToManyField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminSelect2Widget

from teams import audit
from teams.crm_ids import to_18
from teams.models import User

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    # django-unfold has no types; its classes take the place of these.
    UnfoldModelAdmin = ModelAdmin[Any]
    UnfoldTabularInline = TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline as UnfoldTabularInline  # noqa: F401 - imported from here

Text = str | Promise


def viewer_of(request: HttpRequest) -> User:
    """Return who looks at a page; every page of the Manager App needs a log-in."""
    assert isinstance(request.user, User)
    return request.user


def within_scope(queryset: QuerySet[Any], viewer: User) -> QuerySet[Any]:
    """Narrow `queryset` to what `viewer` may see; what has no scope (records, plays) is shared by all."""
    visible_to = getattr(queryset, "visible_to", None)
    return visible_to(viewer) if visible_to else queryset


def crm_id_in(term: str) -> str | None:
    """Return the CRM id (18 characters) that a search term is, or None.

    Every CRM id has a digit, so that a word of 15 letters stays a word.
    """
    term = term.strip()
    try:
        return to_18(term) if any(char.isdigit() for char in term) else None
    except ValueError:
        return None


def badge(text: Text, tone: str = "neutral") -> SafeString:
    """Return a short word on a coloured ground; `tone` is good, bad, busy, warn or neutral."""
    return format_html('<span class="pb-badge pb-{}">{}</span>', tone, text)


def link(url: str, text: object) -> SafeString:
    """Return a link in the text's colour for links."""
    return format_html('<a class="pb-link" href="{}">{}</a>', url, text)


def page_of(obj: Model) -> str:
    """Return the address of an object's page; it names the UUID."""
    opts = obj._meta  # noqa: SLF001 - Django documents it
    key = getattr(obj, "uuid", obj.pk)
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(quote(key),))


def moment(time: datetime | None) -> SafeString | None:
    """Return a time in the viewer's zone that keeps on one line."""
    if time is None:
        return None
    local = timezone.localtime(time)
    return format_html(
        '<time class="pb-moment" datetime="{}">{}</time>', local.isoformat(), date_format(local, "DATETIME_FORMAT")
    )


class Titled:
    """An object under another name, for a page's title: a task is a UUID to logs, a subject to its readers."""

    def __init__(self, original: Model, title: str) -> None:
        self._original = original
        self._title = title

    def __str__(self) -> str:
        return self._title

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class Called:
    """The options of a library's model under our names for it: to rename the model itself would be a migration."""

    def __init__(self, opts: Any, one: Text, many: Text) -> None:
        self._opts = opts
        self.verbose_name = one
        self.verbose_name_plural = many

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opts, name)


class LinkedByUuid(ChangeList):  # type: ignore[misc]
    """A list whose links name UUIDs."""

    def url_for_result(self, result: Model) -> str:
        return page_of(result)


class Scoped:
    """Lists, pages, choices and search boxes hold only what the viewer may see."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return within_scope(queryset, viewer_of(request))

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", _choices(db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs.setdefault("queryset", _choices(db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "time_zone":
            kwargs["widget"] = UnfoldAdminSelect2Widget(choices=time_zone_choices(db_field.blank))
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]


class ScopedAdmin(Scoped, UnfoldModelAdmin):
    """A model's pages in the Manager App."""

    crm_id_fields: tuple[str, ...] = ()
    # Never reachable through a forged filter in the address (?password__startswith=…).
    hidden_fields: tuple[str, ...] = ()
    list_filter_submit = True
    lead: Text = ""  # what the list is about, in a sentence above it
    list_before_template = "admin/list_lead.html"
    # Counting each choice of each filter would read the whole table once for each.
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    # Said in an empty list that nobody has filtered.
    when_empty: Text = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if any("\0" in value for _name, values in request.GET.lists() for value in values):
            raise BadRequest("A NUL byte in the address")
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME) if isinstance(self.opts.pk, IntegerField) else []
        if not all(_is_number(value) for value in chosen):
            raise BadRequest("A row that no list has")
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return LinkedByUuid if hasattr(self.model, "uuid") else super().get_changelist(request, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the object by UUID; Django's own links (delete, history) still name the row's number."""
        if "\0" in object_id:
            return None  # PostgreSQL has no such text, and says so with an error
        if from_field is None and hasattr(self.model, "uuid"):
            try:
                uuid.UUID(object_id)
            except ValueError:
                pass
            else:
                from_field = "uuid"
        return super().get_object(request, object_id, from_field)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if self.crm_id_fields and (crm_id := crm_id_in(search_term)):
            return queryset.filter(self.carries(crm_id)), False
        return super().get_search_results(request, queryset, search_term)

    def carries(self, crm_id: str) -> Q:
        """Return the condition for rows that carry exactly this CRM id, in its own upper and lower case."""
        condition = Q()
        for field in self.crm_id_fields:
            condition |= Q(**{field: crm_id})
        return condition

    def title_of(self, obj: Any) -> str:
        """Return what a page calls its object."""
        return str(obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            title = self.title_of(obj)
            context.update(original=Titled(obj, title), subtitle=title)
        has_history = self.model in audit.kept() and viewer_of(request).has_perm("auditlog.view_logentry")
        context.setdefault("show_history", has_history)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the object's entries in the audit: there is one truth about who changed what."""
        obj = self.get_object(request, object_id)
        if obj is None or self.model not in audit.kept():
            return HttpResponseRedirect(reverse("admin:index"))
        address = reverse("admin:auditlog_logentry_changelist")
        return HttpResponseRedirect(f"{address}?object={self.opts.label_lower}:{obj.pk}")

    # Django's own log of changes would be a second one.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        return None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if lookup.partition("__")[0] in self.hidden_fields:
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]


class ReadOnlyAdmin(ScopedAdmin):
    """Pages that show and never edit: they have no history of edits either."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(request, {**context, "show_history": False}, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _is_number(text: str) -> bool:
    """Whether it may be a row's number, as the boxes of a list send it."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def time_zone_choices(optional: bool) -> list[tuple[str, str]]:
    """Return the zones that people live in, by name, and then all others.

    A file of users may name any of them: what is no choice here would be emptied by the next save of the page.
    """
    technical = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    names = available_timezones() - {"UTC"}
    places = {name for name in names if "/" in name and not name.startswith(technical)}
    listed = ["UTC", *sorted(places), *sorted(names - places)]
    return [*([("", "---------")] if optional else []), *((name, name) for name in listed)]


def _choices(db_field: Any, request: HttpRequest) -> QuerySet[Any]:
    return within_scope(db_field.remote_field.model.objects.all(), viewer_of(request))
