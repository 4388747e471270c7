"""Settings of the host project; what depends on the place comes from the environment.

With nothing set, a checkout works: DEBUG, an embedded PostgreSQL, a secret key made once.
docs/settings.md has the table of the variables.
"""

from pathlib import Path
from typing import Any

import django

from demo import environment, kept, ledger, storages
from lifecycle import embedded
from purge.queue import queue

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"

DEBUG = environment.flag("DEBUG", default=True)
SECRET_KEY = environment.secret_key(DEBUG, DATA_DIR)
ALLOWED_HOSTS = environment.allowed_hosts(DEBUG)
CSRF_TRUSTED_ORIGINS = environment.trusted_origins()
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.from_email()

# Where the embedded server lives; None where DATABASE_URL names another.
external_database = environment.database()
EMBEDDED_DATABASE = None if external_database else kept.embedded_database(DATA_DIR)
DATABASES = {"default": external_database or embedded.database(EMBEDDED_DATABASE or DATA_DIR)}
HUEY = queue(redis_url=environment.redis_url())

# After which age rows end, and the grace; demo/policies says of which.
DEMO_PENDING_MINUTES = environment.age("DEMO_PENDING_MINUTES")
DEMO_OTP_MINUTES = environment.age("DEMO_OTP_MINUTES")
DEMO_DRAFT_HOURS = environment.age("DEMO_DRAFT_HOURS")
DEMO_DRAFT_GRACE_DAYS = environment.age("DEMO_DRAFT_GRACE_DAYS")
DEMO_UNVERIFIED_DAYS = environment.age("DEMO_UNVERIFIED_DAYS")
DEMO_UNVERIFIED_GRACE_DAYS = environment.age("DEMO_UNVERIFIED_GRACE_DAYS")
DEMO_SOFT_BOUNCE_DAYS = environment.age("DEMO_SOFT_BOUNCE_DAYS")
DEMO_STALE_BOUNCE_DAYS = environment.age("DEMO_STALE_BOUNCE_DAYS")
DEMO_AUDIT_LOG_DAYS = environment.age("DEMO_AUDIT_LOG_DAYS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework_simplejwt.token_blacklist",
    "anymail",
    "pgtrigger",
    "huey.contrib.djhuey",
    "lifecycle",
    "purge",
    "demo",
]
MIGRATION_MODULES = {
    "lifecycle": "migrations.lifecycle",
    "purge": "migrations.purge",
    "demo": "migrations.demo",
}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "demo.User"
ROOT_URLCONF = "demo.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
mail_backend = "django.core.mail.backends.console.EmailBackend"
ANYMAIL: dict[str, Any] = {"WEBHOOK_SECRET": environment.webhook_secret()}
if ses := environment.mail_service():
    mail_backend = "anymail.backends.amazon_ses.EmailBackend"
    ANYMAIL["AMAZON_SES_CLIENT_PARAMS"] = ses
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": mail_backend}}
else:
    EMAIL_BACKEND = mail_backend
DEMO_REPORT_TO = environment.report_to()
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # whichever the browser asks for
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STORAGES = storages.storages()
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "media/"
LIFECYCLE_ARCHIVE_DIR = environment.archive_dir(DATA_DIR / "archives")
LIFECYCLE_METRICS_TOKEN = environment.metrics_token()
LIFECYCLE_PROOF: dict[str, Any] | None = ledger.proof(DATA_DIR, external_database)
LIFECYCLE_BACKUP_MAX_AGE = 35 * 86_400  # seconds; nobody backs the demonstration up
