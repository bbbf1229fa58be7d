"""E-mails to admins: the Access User is lost, and is back."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _

from sync.models import Connection
from teams.models import User

logger = logging.getLogger(__name__)


def connection_lost(connection: Connection) -> None:
    """Tell every active admin, in one e-mail, that nothing syncs and what to do. For whoever marked it disconnected."""
    body = _(
        "Salesforce no longer lets the Access User %(user)s in:\n\n"
        "    %(code)s: %(message)s\n\n"
        "Nothing syncs until this is mended, and nothing is lost: what is completed meanwhile waits and syncs by "
        "itself afterwards. Playbooks tries again every few minutes.\n\n"
        "In Salesforce, check that this user is active and may use the connected app. If the app's secret or key was "
        "changed, change SALESFORCE_CLIENT_SECRET or SALESFORCE_JWT_KEY_FILE and run: python manage.py crm_connect\n\n"
        "%(link)s\n"
    )
    _tell_admins(connection, _("Salesforce is disconnected: nothing syncs"), body)


def connection_back(connection: Connection) -> None:
    """Tell every active admin, in one e-mail, that it works again. For whoever marked it connected."""
    body = _(
        "Salesforce lets the Access User %(user)s in again. What was completed meanwhile is being synced now.\n\n"
        "%(link)s\n"
    )
    _tell_admins(connection, _("Salesforce is connected again"), body)


def _tell_admins(connection: Connection, subject: str, body: str) -> None:
    """Send one e-mail; a mail server that fails must not stop the sync, so it is only logged."""
    addresses = list(User.objects.admins().values_list("email", flat=True))
    if not addresses:
        logger.warning("no active admin to alert", extra={"connection": str(connection.uuid)})
        return
    values = {
        "user": connection.access_user_name,
        "code": connection.error_code,
        "message": connection.error_message,
        "link": settings.SITE_URL + reverse("admin:index"),
    }
    try:
        EmailMessage(subject, body % values, to=addresses).send()
    except OSError:  # of which smtplib's errors are
        logger.warning("alert not sent", exc_info=True, extra={"connection": str(connection.uuid)})
