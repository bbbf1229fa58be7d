"""The second factor at the log-in: who needs one, who has one, and how its secrets are kept."""

from collections.abc import Iterable
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from teams import audit
from teams.encryption import decrypt, encrypt
from teams.models import Organisation, Role, SecondFactor, User

# Recovery codes help whoever lost the factor; they are none by themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

_ROLES = {
    SecondFactor.OPTIONAL: (),
    SecondFactor.ADMINS: (Role.ADMIN,),
    SecondFactor.MANAGERS: (Role.MANAGER, Role.ADMIN),
    SecondFactor.EVERYONE: tuple(Role),
}
# Which of an authenticator's values are secrets. A passkey's are public, and a recovery code's seed is a secret.
_SECRETS = ("secret", "seed")


def roles_that_need_one(requirement: str) -> tuple[str, ...]:
    """Return the roles that an organisation's choice asks for a second factor."""
    return tuple(_ROLES[SecondFactor(requirement)])


def is_required_of(user: User, organisation: Organisation) -> bool:
    return user.role in roles_that_need_one(organisation.second_factor)


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def without_second_factor(roles: Iterable[str]) -> int:
    """Return how many active users of `roles` have none yet."""
    protected = Authenticator.objects.filter(type__in=FACTORS).values("user")
    count: int = User.objects.active().filter(role__in=list(roles)).exclude(pk__in=protected).count()
    return count


def forget(user: User, by: User | None = None) -> bool:
    """Take away a user's second factors and recovery codes (a lost phone); return whether there was any.

    They must set one up anew before anything else, if their role needs one. `by` stands in the audit.
    """
    with transaction.atomic():
        deleted, _per_model = Authenticator.objects.filter(user=user).delete()
        if deleted:
            audit.note(by, user, {"second_factor": ("set up", "taken away")})
    return bool(deleted)


@receiver(signals.authenticator_added, dispatch_uid="second_factor_added")
def _note_added(user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type in FACTORS:
        audit.note(user, user, {"second_factor": ("", authenticator.get_type_display())})


@receiver(signals.authenticator_removed, dispatch_uid="second_factor_removed")
def _note_removed(user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type in FACTORS:
        audit.note(user, user, {"second_factor": (authenticator.get_type_display(), "")})


def encrypt_anew() -> int:
    """Write all stored secrets with the newest of ENCRYPTION_KEYS; return how many authenticators had any."""
    count = 0
    with transaction.atomic():
        for authenticator in Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN):
            names = [name for name in _SECRETS if authenticator.data.get(name)]
            for name in names:
                authenticator.data[name] = encrypt(decrypt(authenticator.data[name]))
            authenticator.save(update_fields=["data"])
            count += bool(names)
    return count


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """How django-allauth's second factors fit in: secrets encrypted, and none removed that is required."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong, or was used already. Wait for the next one."),
        "cannot_delete_authenticator": _(
            "Your role needs a second factor, and this is the only one. Add another one first."
        ),
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(_("Playbooks"))

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = User.objects.get(pk=authenticator.user_id)
        others = Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return not is_required_of(user, Organisation.load()) or others.exists()
