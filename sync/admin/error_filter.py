"""The tasks of one error card."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from sync.models import OutboxRow
from teams.scoped_admin import viewer_of


class ErrorFilter(DropdownFilter):  # type: ignore[misc]
    """Chosen on the page of errors, not here: it is offered only while it holds."""

    title = _("error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        signature = request.GET.get(self.parameter_name)
        if not signature:
            return []
        rows = OutboxRow.objects.failing().visible_to(viewer_of(request)).filter(signature=signature)
        code = rows.values_list("error_code", flat=True).first()
        return [(signature, code or str(_("an error that is gone")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        failing = OutboxRow.objects.failing().filter(signature=self.value())
        return queryset.filter(pk__in=failing.values("task"))
