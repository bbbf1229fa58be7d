"""Why connecting in the browser went no further, in Salesforce's words and with the remedy in ours."""

from django.utils.translation import gettext as _

from sync.browser_app import callback_url
from sync.errors import SyncError

# What comes in by an address is shown, so it is cut.
_MOST = 300


class ConsentError(SyncError):
    """`code` and `message` are Salesforce's own words, where it gave any; `remedy` is for the admin who connects."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.remedy = remedy


def refused(code: str, message: str) -> ConsentError:
    """Return the error for a code of Salesforce's."""
    return ConsentError(code[:100], message[:_MOST], _remedy(code))


def _remedy(code: str) -> str:
    remedies = {
        "access_denied": _("Access was denied in Salesforce. To connect, begin again and choose Allow."),
        "OAUTH_APP_BLOCKED": _(
            "An admin of the org has blocked the app. Unblock it in Salesforce under Connected Apps OAuth Usage, then "
            "begin again."
        ),
        "OAUTH_APP_ACCESS_DENIED": _(
            "The app lets in only users who are pre-authorised. In Salesforce, give the Access User the app's profile "
            "or permission set, then begin again."
        ),
        "redirect_uri_mismatch": _(
            "The app in Salesforce doesn't name this callback address. Add %(address)s to it, then begin again."
        )
        % {"address": callback_url()},
        "invalid_scope": _(
            "The app in Salesforce lacks a scope. Give it api and refresh_token (offline access), then begin again."
        ),
        "NO_REFRESH_TOKEN": _(
            "Salesforce gave no refresh token, without which Playbooks is logged out after some hours. Give the app "
            "the scope refresh_token, and let its refresh tokens be valid until revoked; then begin again."
        ),
        "invalid_grant": _("The log-in took too long, or was used already. Begin again."),
        "NO_CODE": _("Begin again."),
        "invalid_client": _("Salesforce refuses SALESFORCE_CLIENT_SECRET. Copy the app's consumer secret again."),
        "invalid_client_id": _("Salesforce doesn't know SALESFORCE_CLIENT_ID. Copy the app's consumer key again."),
        "inactive_user": _("The user is not active in Salesforce. Activate it there, or log in as another."),
        "API_DISABLED_FOR_ORG": _(
            "The user may not use the API. Give it the permission API Enabled, or log in as another."
        ),
        "API_CURRENTLY_DISABLED": _(
            "The user may not use the API. Give it the permission API Enabled, or log in as another."
        ),
        "NO_CLOSED_STATUS": _("Add a status that means closed in Salesforce under Task Status, then begin again."),
        "UNTRUSTED_INSTANCE": _("Check the address that you log in at, then begin again."),
    }
    return remedies.get(code) or _("Check the address and the app in Salesforce, then begin again.")
