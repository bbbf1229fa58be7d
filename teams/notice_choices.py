"""How each user wants to be told of what. Pure, but for reading and writing the choices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from teams.models import NoticeChoice, NoticeKind, Role, User

_OF_MANAGERS = (NoticeKind.CONNECTION, NoticeKind.ERRORS, NoticeKind.FILE_READY, NoticeKind.CRM_USERS)
KINDS = {
    Role.ADMIN: (*_OF_MANAGERS, NoticeKind.WEBHOOKS),
    Role.MANAGER: _OF_MANAGERS,
    Role.REP: (NoticeKind.FILE_READY,),
}


@dataclass(frozen=True, slots=True)
class Channels:
    """Where one kind reaches one user."""

    on_page: bool
    by_email: bool

    def __bool__(self) -> bool:
        return self.on_page or self.by_email


def default_channels(role: str, kind: str) -> Channels:
    """Return what holds until a user chooses: everything on the page; by e-mail what can't wait and an admin mends."""
    return Channels(on_page=True, by_email=role == Role.ADMIN and kind == NoticeKind.CONNECTION)


def channels_of(users: Iterable[User], kind: NoticeKind) -> dict[int, Channels]:
    """Return by primary key where `kind` reaches each of `users`: one query."""
    users = list(users)
    chosen = {
        choice.user_id: Channels(choice.on_page, choice.by_email)
        for choice in NoticeChoice.objects.filter(user__in=users, kind=kind)
    }
    return {user.pk: default_channels(user.role, kind) for user in users} | chosen


def choices_of(user: User) -> dict[NoticeKind, Channels]:
    """Return where each kind that concerns `user` reaches them."""
    chosen = {
        choice.kind: Channels(choice.on_page, choice.by_email) for choice in NoticeChoice.objects.filter(user=user)
    }
    kinds = KINDS[Role(user.role)]
    return {kind: chosen[kind] if kind in chosen else default_channels(user.role, kind) for kind in kinds}


def choose(user: User, choices: Mapping[NoticeKind, Channels]) -> None:
    """Keep what `user` chose."""
    with transaction.atomic():
        for kind, channels in choices.items():
            NoticeChoice.objects.update_or_create(
                user=user, kind=kind, defaults={"on_page": channels.on_page, "by_email": channels.by_email}
            )
