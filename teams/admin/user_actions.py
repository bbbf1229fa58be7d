"""What is done to chosen users: inviting, deactivating, activating."""

from smtplib import SMTPException
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from teams import audit
from teams.acting_admin import take_turn
from teams.backends import may_change_user
from teams.invitations import CannotInviteError, invite
from teams.models import Role, User
from teams.scoped_admin import page_of, viewer_of
from teams.second_factor import forget

if TYPE_CHECKING:
    Base = Any
else:
    Base = object

# Each is an e-mail that is sent while the page waits.
MOST_INVITED = 50


class UserActions(Base):  # type: ignore[misc]
    """For the users' ModelAdmin. Managers act on reps and themselves (may_change_user), whatever a form names."""

    actions = ("invite_chosen", "deactivate", "activate", "forget_second_factor")

    def get_urls(self) -> Any:
        invitation = path("<uuid:user>/invite/", self.admin_site.admin_view(self.invite_one), name="teams_user_invite")
        return [invitation, *super().get_urls()]

    def invite_one(self, request: HttpRequest, user: UUID) -> HttpResponse:
        """Send the invitation that the user's page has a button for."""
        viewer = viewer_of(request)
        the_user = get_object_or_404(User.objects.visible_to(viewer), uuid=user)
        if not viewer.has_perm("teams.change_user", the_user):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._invite(request, [the_user])
        return HttpResponseRedirect(page_of(the_user))

    @admin.action(description=_("Invite"), permissions=["change"])
    def invite_chosen(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        viewer = viewer_of(request)
        chosen = list(queryset[: MOST_INVITED + 1])
        if len(chosen) > MOST_INVITED:
            text = _now("Nobody was invited: choose at most %d users at once.") % MOST_INVITED
            self.message_user(request, text, messages.ERROR)
            return
        allowed = [user for user in chosen if may_change_user(viewer, user)]
        self._invite(request, allowed)
        self._say_refused(request, len(chosen) - len(allowed))

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, active=False)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, active=True)

    @admin.action(description=_("Take the second factor away"), permissions=["forget"])
    def forget_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Help those who lost phone and recovery codes; who needs a second factor must set one up anew."""
        forgotten = sum(forget(user, viewer_of(request)) for user in queryset)
        text = ngettext("%d user has no second factor any more.", "%d users have no second factor any more.", forgotten)
        self.message_user(request, text % forgotten, messages.SUCCESS if forgotten else messages.INFO)

    def has_forget_permission(self, request: HttpRequest) -> bool:
        """Admins alone: with it and a new password a manager would log in as somebody else."""
        return viewer_of(request).role == Role.ADMIN

    def _invite(self, request: HttpRequest, users: list[User]) -> None:
        invited = 0
        for user in users:
            try:
                invite(user, viewer_of(request))
            except CannotInviteError as error:
                self.message_user(request, str(error), messages.WARNING)
            except (OSError, SMTPException):
                text = _now(
                    "The invitation to %(user)s could not be sent: the mail server did not take it. Try again later; "
                    "if it stays so, an admin checks EMAIL_URL."
                )
                self.message_user(request, text % {"user": user.email}, messages.ERROR)
                break  # the next would wait for the same mail server
            else:
                invited += 1
        if invited:
            text = ngettext("%d user was invited by e-mail.", "%d users were invited by e-mail.", invited)
            self.message_user(request, text % invited, messages.SUCCESS)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], *, active: bool) -> None:
        viewer = viewer_of(request)
        with transaction.atomic():
            take_turn(viewer)
            chosen = list(queryset.exclude(is_active=active))
            allowed = [user for user in chosen if user.pk != viewer.pk and may_change_user(viewer, user)]
            User.objects.filter(pk__in=[user.pk for user in allowed]).update(is_active=active)
            audit.note_all(viewer, [(user, {"is_active": (str(not active), str(active))}) for user in allowed])
        done = (
            ngettext("%d user was activated.", "%d users were activated.", len(allowed))
            if active
            else ngettext("%d user was deactivated.", "%d users were deactivated.", len(allowed))
        )
        self.message_user(request, done % len(allowed), messages.SUCCESS if allowed else messages.INFO)
        self._say_refused(request, len(chosen) - len(allowed))

    def _say_refused(self, request: HttpRequest, refused: int) -> None:
        if refused:
            text = ngettext(
                "%d user was left as it was: you may not change this one.",
                "%d users were left as they were: you may not change these.",
                refused,
            )
            self.message_user(request, text % refused, messages.WARNING)
