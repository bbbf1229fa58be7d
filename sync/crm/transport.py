"""HTTP to Salesforce: a time-out on every call, no retries, no redirects, and foreign errors turned into ours."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import requests
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.exceptions import ProxyError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import SSLError as TlsError

from sync.crm.hosts import is_loopback
from sync.enums import FailureMode
from sync.errors import CrmError

_CONNECT_SECONDS = 10.0
_POOL = 2
_UNREACHABLE = (NewConnectionError, ConnectTimeoutError)
# OpenSSL's words for a handshake that failed; after it, the request may have arrived.
_HANDSHAKE = (
    "CERTIFICATE_VERIFY_FAILED",
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "NO_PROTOCOLS_AVAILABLE",
    "HANDSHAKE_FAILURE",
    "PROTOCOL_VERSION",
    "UNRECOGNIZED_NAME",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
)


class _TimeoutAdapter(HTTPAdapter):
    """Sets the time-out that neither requests nor simple-salesforce has (seconds; per read, not for the whole)."""

    def __init__(self, timeout: float) -> None:
        super().__init__(pool_connections=_POOL, pool_maxsize=_POOL, max_retries=0)
        self.seconds = (min(timeout, _CONNECT_SECONDS), timeout)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request, *args, **{**kwargs, "timeout": self.seconds})


class _LoopbackAdapter(_TimeoutAdapter):
    """Sends to a plain http server on this machine what simple-salesforce addresses to https, past any proxy."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = "http://" + (request.url or "").partition("://")[2]
        return super().send(request, *args, **{**kwargs, "proxies": {}})


class _OwnHeader(AuthBase):
    """Keeps requests from replacing our Authorization header by what a .netrc file holds for the host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def new_session(url: str, timeout: float) -> requests.Session:
    """Return a session that can reach `url`'s host only (checked by hosts.check_address)."""
    session = requests.Session()
    session.auth = _OwnHeader()
    session.max_redirects = 0
    session.adapters.clear()
    parts = urlsplit(url)
    if parts.scheme == "http" and is_loopback(url):
        for scheme in ("http", "https"):
            session.mount(f"{scheme}://{parts.netloc}/", _LoopbackAdapter(timeout))
    else:
        session.mount(f"https://{parts.netloc}/", _TimeoutAdapter(timeout))
    return session


def network_error(error: Exception) -> CrmError:
    """Return ours for an exception of requests, with whether the request may have been carried out."""
    reason = _reason(error)
    for applies, code, message in (
        (isinstance(error, requests.ConnectTimeout), "CONNECT_TIMEOUT", _("The CRM did not answer in time.")),
        (isinstance(error, requests.TooManyRedirects), "REDIRECTED", _("The CRM's address points elsewhere.")),
        (isinstance(reason, _UNREACHABLE), "UNREACHABLE", _("The CRM can't be reached at its address.")),
        (_is_handshake(reason), "TLS_FAILED", _("No secure connection to the CRM could be made.")),
        (isinstance(error, ProxyError), "PROXY_FAILED", _("The proxy on the way to the CRM failed.")),
    ):
        if applies:
            return CrmError(FailureMode.TRANSIENT, code, message)
    if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
        return _unknown("TIMEOUT", _("The CRM took the request and did not answer in time."))
    return _unknown("CONNECTION_LOST", _("The connection broke before the CRM had answered."))


def _reason(error: Exception) -> BaseException | None:
    """What urllib3 says under requests' exception."""
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else None
    return inner.reason if isinstance(inner, MaxRetryError) else inner


def _is_handshake(reason: BaseException | None) -> bool:
    inner = reason.args[0] if isinstance(reason, TlsError) and reason.args else reason
    if isinstance(inner, ssl.SSLCertVerificationError):
        return True
    words = getattr(inner, "reason", None) or ""
    return isinstance(inner, ssl.SSLError) and any(word in words for word in _HANDSHAKE)


def _unknown(code: str, message: str) -> CrmError:
    return CrmError(FailureMode.TRANSIENT, code, message, outcome_unknown=True)
