"""What those responsible are told of the connection: the Access User is lost, and is back."""

import logging

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from sync.models import Connection
from teams import notices
from teams.models import NoticeKind, Role, User

logger = logging.getLogger(__name__)


def connection_lost(connection: Connection) -> None:
    """Tell admins and managers once that nothing syncs and what to do. For whoever marked it disconnected."""
    text = _(
        "Salesforce no longer lets the Access User %(user)s in:\n\n"
        "    %(code)s: %(message)s\n\n"
        "Nothing syncs until this is mended, and nothing is lost: what is completed meanwhile waits and syncs by "
        "itself afterwards. Playbooks tries again every few minutes.\n\n"
        "In Salesforce, check that this user is active and may use the connected app. If the app's secret or key was "
        "changed, or if it doesn't come back by itself, an admin connects it again."
    )
    notices.end(NoticeKind.CONNECTION, [_key("back", connection)])
    _tell("lost", connection, _("Salesforce is disconnected: nothing syncs"), text)


def connection_back(connection: Connection) -> None:
    """Tell the same people once that it works again. For whoever marked it connected."""
    text = _("Salesforce lets the Access User %(user)s in again. What was completed meanwhile is being synced now.")
    notices.end(NoticeKind.CONNECTION, [_key("lost", connection)])
    _tell("back", connection, _("Salesforce is connected again"), text)


def _tell(what: str, connection: Connection, title: str, text: str) -> None:
    people = list(User.objects.active().filter(Q(role=Role.ADMIN) | Q(role=Role.MANAGER)))
    if not any(user.role == Role.ADMIN for user in people):
        logger.warning("no active admin to alert", extra={"connection": str(connection.uuid)})
    values = {
        "user": connection.access_user_name,
        "code": connection.error_code,
        "message": connection.error_message,
    }
    notices.tell(
        people,
        NoticeKind.CONNECTION,
        title=title,
        text=text % values,
        path=reverse("admin:index"),
        key=_key(what, connection),
    )


def _key(what: str, connection: Connection) -> str:
    return f"{what}:{connection.uuid}"
