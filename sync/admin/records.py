"""Records as Playbooks mirrors them. They are shared by all teams; their owners' names are not."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, F, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from sync.admin import enrol_page
from sync.enrolling import MOST_AT_ONCE
from sync.models import Record, Task
from teams.models import User
from teams.scoped_admin import ReadOnlyAdmin, badge, link, moment, page_of, viewer_of


def record_link(record: Record | None) -> str | None:
    """Return a link to a record's page, with its kind."""
    if record is None:
        return None
    return format_html("{} ({})", link(page_of(record), record), record.get_kind_display())


def crm_link(record: Record) -> str:
    """Return the record's CRM id, linked to its page in the CRM where that is known."""
    base = record.connection.instance_url.rstrip("/")
    if not base:
        return str(record.crm_id)
    return format_html(
        '<a class="pb-link pb-mono" href="{}/{}" target="_blank" rel="noopener noreferrer">{}</a>',
        base,
        record.crm_id,
        record.crm_id,
    )


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    lead = _("What Playbooks knows of the CRM's Accounts, Contacts, Leads, Opportunities and Cases, for all teams.")
    list_display = ("name_or_id", "kind", "owner_name", "crm_page", "fetched", "in_crm")
    list_select_related = ("connection",)
    list_filter = (("kind", ChoicesDropdownFilter), ("is_deleted", BooleanRadioFilter))
    search_fields = ("name", "emails__address")
    search_help_text = _("Name, e-mail or CRM id")
    crm_id_fields = ("crm_id", "account_crm_id", "owner_crm_id")
    ordering = ("-pk",)
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    list_before_template = "admin/sync/records_above.html"
    change_form_outer_before_template = "admin/sync/record_above.html"
    list_disable_select_all = True  # nothing is counted: what matches a filter has a button of its own
    actions = ("enrol_in_play",)
    when_empty = _("Records are fetched from the CRM when they are first needed.")
    fieldsets = (
        (None, {"fields": ("name_or_id", "kind", "crm_page", "owner_name", "in_crm")}),
        (_("Reached at"), {"fields": ("email_list", "phone_list")}),
        (_("From the CRM"), {"fields": ("crm_fields", "modified_at", "fetched_at", "created_at")}),
        (_("In Playbooks"), {"fields": ("task_count",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen = User.objects.visible_to(viewer_of(request))
        # The name is fetched only where the viewer may see the owner.
        name = Case(When(owner__in=seen.order_by().values("pk"), then=F("owner__name")))
        records: QuerySet[Any] = super().get_queryset(request).annotate(seen_owner=name)
        return records.select_related("connection")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        record = super().get_object(request, object_id, from_field)
        if record is not None:
            mine = Task.objects.visible_to(viewer_of(request))
            about = Q(record=record) | Q(who=record) | Q(what=record)
            record.seen_tasks = mine.filter(about).count()
        return record

    def has_enrol_permission(self, request: HttpRequest) -> bool:
        return viewer_of(request).has_perm("sync.add_enrolment")

    @admin.action(description=_("Enrol in a play"), permissions=["enrol"])
    def enrol_in_play(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Lead on to the choice of a play, for the chosen records or for all that match the list's filters."""
        chosen = list(queryset.order_by("-pk").values_list("uuid", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            text = _("More than %(most)d records match. Narrow the list by its filters or a search.")
            messages.error(request, text % {"most": MOST_AT_ONCE})
            return None
        return enrol_page.begin(request, chosen)

    @admin.display(description=_("name"))
    def name_or_id(self, record: Record) -> str:
        return str(record)

    @admin.display(description=_("owner"), empty_value="-")
    def owner_name(self, record: Any) -> str | None:
        if record.seen_owner:
            return str(record.seen_owner)
        return str(_("outside your teams")) if record.owner_id else None

    @admin.display(description=_("fetched at"), empty_value="-")
    def fetched(self, record: Record) -> str | None:
        return moment(record.fetched_at)

    @admin.display(description=_("CRM id"))
    def crm_page(self, record: Record) -> str:
        return crm_link(record)

    @admin.display(description=_("in the CRM"))
    def in_crm(self, record: Record) -> str:
        if record.is_deleted:
            return badge(_("Deleted"), "bad")
        if record.missing_since:
            return badge(_("Not in the CRM"), "bad")
        if record.fetched_at is None:
            return badge(_("Not fetched yet"), "warn")
        return badge(_("There"), "good")

    @admin.display(description=_("e-mails"))
    def email_list(self, record: Record) -> str | None:
        return format_html_join("\n", "{}<br>", ((email.address,) for email in record.emails.all())) or None

    @admin.display(description=_("phones"))
    def phone_list(self, record: Record) -> str | None:
        return format_html_join("\n", "{}<br>", ((phone.number,) for phone in record.phones.all())) or None

    @admin.display(description=_("fields"))
    def crm_fields(self, record: Record) -> str | None:
        shown = ((name, value) for name, value in sorted(record.fields.items()) if value not in (None, ""))
        rows = format_html_join("\n", "<dt>{}</dt><dd>{}</dd>", shown)
        return format_html('<dl class="pb-pairs">{}</dl>', rows) if rows else None

    @admin.display(description=_("tasks"))
    def task_count(self, record: Any) -> str:
        return link(f"../../../task/?q={record.crm_id}", record.seen_tasks)
