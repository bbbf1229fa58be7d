"""Uploads of mail that leave nothing behind: in a file without a name, which goes with the request or the process."""

from collections.abc import Callable
from functools import wraps
from tempfile import TemporaryFile
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_protect

MAX_BYTES = 50_000_000

View = Callable[[HttpRequest], HttpResponse]


class NamelessUploadHandler(FileUploadHandler):
    """Keeps one file of at most `most` bytes; a longer one is read to its end and dropped, and `too_large` says so.

    Further files of a form are dropped, too: nobody asked for them, and together they would fill the disk.
    """

    most = MAX_BYTES

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.too_large = False
        self._has_begun = False
        self._kept: IO[bytes] | None = None  # while it is being received

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._has_begun:
            raise SkipFile
        self._has_begun = True
        self._kept = TemporaryFile()  # noqa: SIM115 - the request closes it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._kept is not None
        if start + len(raw_data) > self.most:
            self.too_large = True
            self._kept.close()
            raise SkipFile
        self._kept.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        assert self._kept is not None
        kept, self._kept = self._kept, None
        kept.seek(0)
        return UploadedFile(kept, self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        if self._kept is not None:
            self._kept.close()


def takes_mail(view: View) -> View:
    """Let a view take an upload this way; the page's guard stands above it, and csrf_exempt above that.

    Django's own check against forged forms reads the form before any view: it is done here, once the handler is set.
    """
    protected = csrf_protect(view)

    @wraps(view)
    def taking(request: HttpRequest) -> HttpResponse:
        request.upload_handlers = [NamelessUploadHandler(request)]
        return protected(request)

    return taking


def is_too_large(request: HttpRequest) -> bool:
    """Whether an upload was dropped for its length."""
    handlers = request.upload_handlers
    return any(isinstance(handler, NamelessUploadHandler) and handler.too_large for handler in handlers)
