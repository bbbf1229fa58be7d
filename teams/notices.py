"""Telling users what needs them: one notice a cause, on the page and, if they chose so, by e-mail."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from teams import notice_emails
from teams.models import Notice, NoticeKind, User
from teams.notice_choices import channels_of

KEEP_READ = timedelta(days=90)


def tell(users: Iterable[User], kind: NoticeKind, *, title: str, text: str = "", path: str = "", key: str = "") -> int:
    """Tell each of `users`; return how many were told.

    `path` is the page of this site that helps, beginning with a slash. Who has an unread notice of the same kind and
    `key` (at most 100 characters; empty: never the same) is not told again, nor who is deactivated or wants neither
    page nor e-mail. E-mails go out after the caller's transaction; one that fails is tried again later.
    """
    users = [user for user in users if user.is_active]
    channels = channels_of(users, kind)
    now = timezone.now()
    title = " ".join(title.split())[:200]
    made = [
        Notice(
            user=user,
            kind=kind,
            key=key,
            title=title,
            text=text,
            path=path,
            on_page=channels[user.pk].on_page,
            email_due_at=now if channels[user.pk].by_email else None,
        )
        for user in users
        if channels[user.pk]
    ]
    if not made:
        return 0
    Notice.objects.bulk_create(made, ignore_conflicts=True)
    told = dict(Notice.objects.filter(uuid__in=[notice.uuid for notice in made]).values_list("uuid", "email_due_at"))
    owed = [uuid for uuid, due in told.items() if due is not None]
    if owed:
        transaction.on_commit(partial(notice_emails.send, owed), robust=True)
    return len(told)


def end(kind: NoticeKind, keys: Collection[str]) -> int:
    """Say that causes are gone: who has not read of them needs to no more. Return how many notices that were."""
    return Notice.objects.filter(kind=kind, key__in=keys, read_at=None).update(
        read_at=timezone.now(), email_due_at=None
    )


def read(user: User, uuids: Collection[UUID] | None = None) -> int:
    """Mark notices of `user` as read, all of them without `uuids`; return how many were not."""
    unread = Notice.objects.visible_to(user).unread()
    if uuids is not None:
        unread = unread.filter(uuid__in=uuids)
    return unread.update(read_at=timezone.now(), email_due_at=None)


def forget(now: datetime) -> int:
    """Delete what was read long ago, and what nobody can read any more; return how many."""
    Notice.objects.filter(email_due_at__isnull=False, created_at__lt=now - notice_emails.GIVE_UP).update(
        email_due_at=None
    )
    old = now - KEEP_READ
    gone = Q(read_at__lt=old) | Q(on_page=False, created_at__lt=old)
    return Notice.objects.filter(gone).delete()[0]
