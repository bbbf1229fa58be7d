"""Forms of the Manager App about users."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget

from teams.models import User

if TYPE_CHECKING:
    UserCreationBase = BaseUserCreationForm[User]
else:
    UserCreationBase = BaseUserCreationForm


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """Somebody else's new password. Django's form can also take it away, which no page here offers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True


class UserCreationForm(UserCreationBase):
    """A new user with a first password."""

    class Meta:
        model = User
        fields = ("name", "email", "role", "team")
        field_classes: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
            self.fields[name].required = False
        self.fields["password1"].help_text = _(
            "Better left empty: “Invite” on the user's page sends a link at which they choose their own. "
            "Else at least 12 characters, not a common word, not like the name or e-mail."
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if bool(self.cleaned_data.get("password1")) != bool(self.cleaned_data.get("password2")):
            self.add_error("password2", _("Enter the same password twice, or leave both empty."))
        return cleaned

    def set_password_and_save(self, user: Any, password_field_name: str = "password1", commit: bool = True) -> Any:  # noqa: S107 - a field's name
        """Without a password the user can't log in until they choose one."""
        user.set_password(self.cleaned_data[password_field_name] or None)
        if commit:
            user.save()
        return user
