"""How many notices wait, for the bell on every page: asked only where it is shown."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from teams.models import Notice, User

# Beyond that the bell says "99+".
MOST = 99


def notices(request: HttpRequest) -> dict[str, Any]:
    """Return `unread_notices`, a callable that templates call: one indexed query, none for strangers."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}

    @cache
    def unread() -> str:
        count = Notice.objects.visible_to(user).unread().order_by()[: MOST + 1].count()
        return f"{MOST}+" if count > MOST else str(count or "")

    return {"unread_notices": unread}
