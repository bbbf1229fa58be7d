"""What a browser may load and run on our pages (docs/decisions/0016-content-security-policy.md)."""

import base64
import hashlib
import re
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

from playbooks.env import BASE_DIR

MANAGER_APP = "/manager/"


def _hash_of_error_pages() -> str:
    """Return the source expression of the one style that stands in a page: error pages need no static file."""
    page = (BASE_DIR / "templates" / "plain.html").read_text(encoding="utf-8")
    [style] = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


STRICT: dict[str, Any] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, _hash_of_error_pages()],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}

# Django-unfold's Alpine reads its attributes with Function(), and shows and hides with style="…".
UNFOLD = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityMiddleware(CSPMiddleware):
    """The strict policy everywhere, and what django-unfold needs on the Manager App's pages alone."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(MANAGER_APP) and parts.replace is None:
            parts.replace = UNFOLD
        return parts
