"""An admin always remains: admins who shut each other out at the same moment take turns, and the second is stopped."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from teams.models import Role, User


def take_turn(viewer: User) -> None:
    """Wait, in a transaction, for other admins who change users; raise PermissionDenied for whoever is no admin now.

    All admins' rows are locked in one order, so that two of them never wait for each other.
    """
    admins = User.objects.admins().select_for_update().order_by("pk").values_list("pk", flat=True)
    if viewer.role == Role.ADMIN and viewer.pk not in set(admins):
        raise PermissionDenied(_("Another admin has just taken the role from you, or deactivated you."))
