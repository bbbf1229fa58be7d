"""Import and export of a list as CSV, in two steps: a preview, and then exactly that or nothing."""

from typing import TYPE_CHECKING, Any

import tablib
from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV
from import_export.forms import ImportForm
from import_export.tmp_storages import CacheStorage

from teams.csv_text import csv_response, read_csv
from teams.scoped_admin import viewer_of

MOST_BYTES = 3 * 1024 * 1024
MOST_ROWS = 10_000

if TYPE_CHECKING:
    Base = Any
else:
    Base = ImportExportMixin


class KeptFile(CacheStorage):  # type: ignore[misc]
    """What was uploaded, between the preview and the import, for all web processes: for an hour at most."""

    CACHE_LIFETIME = 3600
    CACHE_PREFIX = "people-import-"


class UploadForm(ImportForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].label = gettext_lazy("CSV file")
        self.fields["import_file"].widget.attrs["accept"] = ".csv,text/csv"

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise ValidationError(_("The file is larger than 3 MB. Split it, or remove columns that aren't needed."))
        return file


class PeopleCsv(CSV):  # type: ignore[misc]
    """A CSV file with the columns of one kind of list."""

    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def is_binary(self) -> bool:
        return True  # the bytes are kept as they came, and read by us

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        return read_csv(in_stream, self.columns, self.required, MOST_ROWS)


class CsvImport(Base):  # type: ignore[misc]
    """For a ModelAdmin: who may add objects may import, who may view them may export what they see.

    (settings.IMPORT_EXPORT_…_PERMISSION_CODE; the library's own default lets everyone do both.)
    """

    import_template_name = "admin/people_import.html"
    import_form_class = UploadForm
    tmp_storage_class = KeptFile
    skip_admin_log = True  # the audit is the one truth
    file_name = ""
    import_help: Any = ""

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"viewer": viewer_of(request)}

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"columns": self.formats[0].columns, "import_help": self.import_help}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Read the file, try it in a transaction that is rolled back, and show what would happen."""
        response: HttpResponse = super().import_action(request, **kwargs)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            self._explain(response.context_data)
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Carry out what was shown, or nothing: the rows are judged again, against what is stored by now."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = self.create_confirm_form(request)
        kept = KeptFile(name=form.cleaned_data["import_file_name"]) if form.is_valid() else None
        data = kept.read() if kept else None
        if kept is None or data is None:
            messages.error(request, _("The file is not kept any longer. Upload it again."))
            return HttpResponseRedirect(self._url("import"))
        dataset = self.formats[0]().create_dataset(data)
        resource = self.resource_classes[0](viewer=viewer_of(request))
        result = resource.import_data(dataset, rollback_on_validation_errors=True)
        kept.remove()
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, _("Nothing was imported: something has changed meanwhile. Upload the file again."))
            return HttpResponseRedirect(self._url("import"))
        self._say(request, result)
        return HttpResponseRedirect(self._url("changelist"))

    def export_action(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Give what the list holds under the same filters, without its pages."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        resource = self.resource_classes[0]()
        try:
            listed = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{self._url('changelist')}?{ERROR_FLAG}=1")  # what the list itself does
        rows = (resource.export_resource(obj) for obj in resource.iter_queryset(listed))
        return csv_response(self.file_name, resource.get_export_headers(), rows)

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if not isinstance(e, ValidationError):
            raise e
        form.add_error("import_file", e)

    def _explain(self, context: dict[str, Any]) -> None:
        result = context.get("result")
        if result is None:
            return
        context["errors"] = result.problems
        context["wrong_rows"] = len(result.invalid_rows)
        context["unexpected"] = result.has_errors()
        context["totals"] = result.totals
        context["hidden_changes"] = result.totals["new"] + result.totals["update"] - len(result.preview)

    def _say(self, request: HttpRequest, result: Any) -> None:
        text = _("Imported: %(new)d new, %(update)d changed, %(skip)d as they were.") % result.totals
        messages.success(request, text)

    def _url(self, action: str) -> str:
        opts = self.model._meta  # noqa: SLF001 - Django documents it
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_{action}")
