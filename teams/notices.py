"""Telling users what needs them: one notice a cause, on the page and, if they chose so, by e-mail."""

from collections.abc import Iterable

from teams.models import Notice, NoticeKind, User


def tell(users: Iterable[User], kind: NoticeKind, *, title: str, text: str = "", path: str = "", key: str = "") -> int:
    """Tell each of `users`; return how many were told.

    `path` is the page of this site that helps, beginning with a slash. Who has an unread notice of the same kind and
    `key` (at most 100 characters; empty: never the same) is not told again.
    """
    notices = [Notice(user=user, kind=kind, key=key, title=title, text=text, path=path) for user in users]
    return len(Notice.objects.bulk_create(notices, ignore_conflicts=True))
