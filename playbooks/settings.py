"""Django settings. What differs between installations comes from the environment (.env.example)."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from playbooks.content_security import STRICT
from playbooks.env import (
    BASE_DIR,
    address,
    addresses,
    api_version,
    boolean,
    choice,
    database,
    email,
    encryption_keys,
    integer,
    networks,
    read_env_file,
    required,
    single_sign_on,
    text,
    texts,
)
from playbooks.logs import logging_config
from playbooks.manager_app import UNFOLD  # noqa: F401 - django-unfold reads it from here

read_env_file()

ENVIRONMENT = choice("ENVIRONMENT", "production", ("production", "development"))
PRODUCTION = ENVIRONMENT == "production"
DEBUG = boolean("DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured(
        "DEBUG is on in production, where it shows settings to strangers. Remove DEBUG, or set ENVIRONMENT=development."
    )

SECRET_KEY = required("SECRET_KEY", "a long random text; `python -m playbooks.env_file --print-secrets` prints one.")
if PRODUCTION and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters in production.")
ENCRYPTION_KEYS = encryption_keys("ENCRYPTION_KEYS")

ALLOWED_HOSTS = texts("ALLOWED_HOSTS", () if PRODUCTION else ("localhost", "127.0.0.1", "[::1]"))
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set. Set it to the host names of this site, comma separated.")
CSRF_TRUSTED_ORIGINS = addresses("CSRF_TRUSTED_ORIGINS")
SITE_URL = address("SITE_URL", "" if PRODUCTION else "http://127.0.0.1:8000")
if not SITE_URL:
    raise ImproperlyConfigured(
        "SITE_URL is not set. Set it to this site's address, for links in e-mails: https://HOST."
    )

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "playbooks.apps.ManagerAppConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.microsoft",
    "auditlog",
    "csp",
    "django_htmx",
    "django_linear_migrations",
    "django_q",
    "import_export",
    "ninja",
    "teams",
    "blacklist",
    "sync",
    "playbooks",
]

MIDDLEWARE = [
    "playbooks.content_security.ContentSecurityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sync.api.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "teams.middleware.EndedSessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "teams.middleware.AuditMiddleware",
    "teams.middleware.UserTimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "playbooks.urls"
WSGI_APPLICATION = "playbooks.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "playbooks.navigation.shell",
                "teams.notice_context.notices",
            ],
        },
    },
]

DATABASES = {"default": database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'playbooks.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"

# In the database, so that all web and worker processes see the same django-q2 statistics.
# It also counts wrong passwords: so many entries that nobody can push those out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "teams.User"
AUTHENTICATION_BACKENDS = ["teams.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3 * 86_400  # of invitations, too

# Logging in (docs/decisions/0015-signing-in.md). User.email is the one truth: no addresses of django-allauth's own.
ACCOUNT_ADAPTER = "teams.sign_in.AccountAdapter"
ACCOUNT_FORMS = {"login": "teams.sign_in.LogInForm", "reset_password": "teams.sign_in.ForgottenPasswordForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "teams.link_tokens.LinkTokens"  # noqa: S105
# A whole office may share one address.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "50/5m/ip,5/5m/key",
    "reset_password_from_key": "60/m/ip",
}
MFA_ADAPTER = "teams.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds: a telephone's clock may be a little off
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
SOCIALACCOUNT_ADAPTER = "teams.single_sign_on.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = single_sign_on()
SOCIALACCOUNT_QUERY_EMAIL = True

# The audit keeps names, which still say something when what they named is gone.
AUDITLOG_USE_FK_STRING_REPRESENTATION = True

# The library's default lets everyone import and export: who may add may import, who may view may export.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "add"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["playbooks.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

VAR_DIR = BASE_DIR / (text("VAR_DIR") or "var")
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "playbooks" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

HTTPS = boolean("HTTPS", PRODUCTION)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
BEHIND_PROXY = boolean("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Whose address counts when wrong passwords are counted by address.
ALLAUTH_TRUSTED_PROXY_COUNT = integer("PROXY_COUNT", 1) if BEHIND_PROXY else 0
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # unless one asks to be kept logged in
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": STRICT}

vars().update(email("EMAIL_URL", "" if PRODUCTION else "consolemail://"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "Playbooks <playbooks@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The CRM's Access User. What is missing here is said by crm_connect, so that the site starts without it.
SALESFORCE_LOGIN_URL = address("SALESFORCE_LOGIN_URL", "")
SALESFORCE_CLIENT_ID = text("SALESFORCE_CLIENT_ID")
SALESFORCE_CLIENT_SECRET = text("SALESFORCE_CLIENT_SECRET")
SALESFORCE_JWT_KEY_FILE = text("SALESFORCE_JWT_KEY_FILE")
SALESFORCE_JWT_USERNAME = text("SALESFORCE_JWT_USERNAME")
SALESFORCE_API_VERSION = api_version("SALESFORCE_API_VERSION", "62.0", least=60)

# Seconds. HTTP time-out < lease < job time-out < broker retry: a system check (sync/checks.py) holds it.
SYNC_HTTP_TIMEOUT = integer("SYNC_HTTP_TIMEOUT", 30)
SYNC_LEASE = integer("SYNC_LEASE", 120)
SYNC_JOB_TIMEOUT = integer("SYNC_JOB_TIMEOUT", 300)
# How long an attempt of unknown outcome rests before it is looked up when the org has no key field:
# longer than the CRM's longest processing time (Salesforce documents 10 minutes).
SYNC_QUIET = integer("SYNC_QUIET", 660)

# Where webhooks may go besides the internet, over http, too (sync/webhook_address.py).
WEBHOOK_PRIVATE_NETWORKS = networks("WEBHOOK_PRIVATE_NETWORKS")

# Of each token of the HTTP API, in each minute.
API_REQUESTS_PER_MINUTE = integer("API_REQUESTS_PER_MINUTE", 6_000)
API_TASKS_PER_MINUTE = integer("API_TASKS_PER_MINUTE", 60_000)

# SQLite has one writer: more workers would only wait for one another.
QUEUE_WORKERS = 1 if SQLITE else integer("QUEUE_WORKERS", 2)
QUEUE_REDIS_URL = address("QUEUE_REDIS_URL", "", ("rediss", "redis"))
_BULK = 1
_QUEUE_LIMIT = QUEUE_WORKERS

Q_CLUSTER: dict[str, Any] = {
    "name": "playbooks",
    "broker_class": f"sync.broker.{'Redis' if QUEUE_REDIS_URL else 'Orm'}Broker",
    "label": "Queue",
    "workers": QUEUE_WORKERS,
    "timeout": SYNC_JOB_TIMEOUT,
    # A job waits behind those that were taken from the broker before it; measured formula, docs/decisions.
    "retry": int(((_QUEUE_LIMIT + _BULK) / QUEUE_WORKERS + 1) * SYNC_JOB_TIMEOUT * 1.25),
    "queue_limit": _QUEUE_LIMIT,
    "bulk": _BULK,
    "poll": 0.05,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 200,
    "recycle": 2000,
    "cache": "default",
    "log_level": "WARNING",
    **({"redis": QUEUE_REDIS_URL} if QUEUE_REDIS_URL else {"orm": "default"}),
}

LOGGING = logging_config(
    level=choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    style=choice("LOG_FORMAT", "json", ("json", "text")),
)
DEFAULT_EXCEPTION_REPORTER_FILTER = "playbooks.debug_pages.ReporterFilter"
