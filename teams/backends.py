"""Roles to permissions, in one place."""

from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.backends import ModelBackend
from django.db.models import Model

from teams.models import Role, User

# Named as Django names them (app.action_model), so that its admin asks the right question.
# What a manager may see and do is further narrowed to their own teams by `visible_to`.
MANAGER_PERMISSIONS = frozenset(
    {
        "teams.view_team",
        "teams.view_user",
        "teams.change_user",
        "teams.view_emailswitch",
        "teams.change_emailswitch",
        "blacklist.view_rule",
        "blacklist.change_rule",
        "auditlog.view_logentry",
        "sync.view_record",
        "sync.view_recordemail",
        "sync.view_recordphone",
        "sync.view_play",
        "sync.add_play",
        "sync.change_play",
        "sync.view_playstep",
        "sync.add_playstep",
        "sync.change_playstep",
        "sync.delete_playstep",
        "sync.view_enrolment",
        "sync.add_enrolment",
        "sync.change_enrolment",
        "sync.view_task",
        "sync.change_task",
        "sync.view_taskimport",
        "sync.add_taskimport",
        "sync.view_decision",
        "sync.view_outboxrow",
        "sync.change_outboxrow",
        "sync.view_attempt",
    }
)


@cache
def every_permission() -> frozenset[str]:
    """Return the permissions of all installed models: an admin's."""
    kinds = [model._meta for model in apps.get_models()]  # noqa: SLF001 - Django documents it
    return frozenset(
        f"{kind.app_label}.{action}_{kind.model_name}" for kind in kinds for action in kind.default_permissions
    )


def permissions_of(role: str) -> frozenset[str]:
    """Return what a role may do; a rep's workspace asks for ownership instead, so reps have none."""
    match role:
        case Role.ADMIN:
            return every_permission()
        case Role.MANAGER:
            return MANAGER_PERMISSIONS
        case _:
            return frozenset()


def is_visible(obj: Model, viewer: User) -> bool:
    """Whether `obj` is within the viewer's scope; what has no scope is everybody's."""
    visible_to = getattr(getattr(type(obj), "objects", None), "visible_to", None)
    return visible_to is None or bool(visible_to(viewer).filter(pk=obj.pk).exists())


def may_change_user(viewer: User, user: User) -> bool:
    """Whether `viewer` may change `user`, if they may see them at all.

    Managers change reps and themselves: with another manager's account (a new password is enough) they would
    reach teams that are not theirs.
    """
    if viewer.role == Role.ADMIN or user.pk == viewer.pk:
        return True
    return viewer.role == Role.MANAGER and user.role == Role.REP


class RoleBackend(ModelBackend):
    """Logs in by e-mail (in any case) and password, and answers what a role may do.

    Who is deactivated can neither log in nor go on, and may do nothing. Django's tables of groups and
    permissions are not read.
    """

    def get_user_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Return nothing: a permission is never a single user's."""
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Return the role's permissions; with `obj`, only if it is within the user's scope."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        permissions = permissions_of(user_obj.role)
        if obj is not None and not is_visible(obj, user_obj):
            return set()
        if isinstance(obj, User) and not may_change_user(user_obj, obj):
            permissions -= {"teams.change_user"}
        return set(permissions)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return self.get_group_permissions(user_obj, obj)
