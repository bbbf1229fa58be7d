"""Who asks: the sender of a bearer token. Nothing else counts, no cookie and no session."""

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from sync.api.limits import spend
from sync.api.problems import Problem
from sync.models import ApiToken
from sync.models.sender import digest_of

# So often at most a token's last use is written.
_SEEN_EVERY = timedelta(minutes=1)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Playbooks"'}


class Bearer(HttpBearer):
    """A token of a sender, not revoked and not expired, within its limit of requests."""

    def authenticate(self, _request: HttpRequest, token: str) -> ApiToken:
        now = timezone.now()
        found = ApiToken.objects.usable(now).filter(digest=digest_of(token.strip())).select_related("sender").first()
        if found is None:
            raise unauthorised()
        spend(found.pk, "requests")
        if found.last_used_at is None or found.last_used_at < now - _SEEN_EVERY:
            long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - _SEEN_EVERY)
            ApiToken.objects.filter(long_ago, pk=found.pk).update(last_used_at=now)
        return found


def unauthorised() -> Problem:
    detail = _(
        "Send a token of this site as “Authorization: Bearer TOKEN”. It must be neither revoked nor expired, and its "
        "sender active."
    )
    return Problem(401, "unauthorized", detail, headers=_CHALLENGE)
