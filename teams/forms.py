"""Forms of the Manager App about users."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from teams.models import User

if TYPE_CHECKING:
    UserCreationBase = BaseUserCreationForm[User]
else:
    UserCreationBase = BaseUserCreationForm


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
        self.fields["password1"].help_text = _(
            "At least 12 characters, not a common word, not like the name or e-mail. "
            "Tell it to the user; managers and admins can change theirs after logging in."
        )
