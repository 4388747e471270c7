"""Settings from the environment: each value is right, or one line says what is wrong with it.

A variable that is set but empty is an error, never a default: an empty DATABASE_URL in production
must not silently mean the embedded database. No message repeats a password.
"""

import os
import secrets
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from . import postgres_url
from .kept import keep_once

FLAGS = {"1": True, "true": True, "yes": True, "on": True}
FLAGS |= {"0": False, "false": False, "no": False, "off": False}

EXAMPLES = {
    "DJANGO_SECRET_KEY": "fifty or more random characters",
    "DEBUG": "1 or 0",
    "ALLOWED_HOSTS": "example.com,www.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://example.com,https://*.example.com",
    "DATABASE_URL": "postgres://user:password@host:5432/name?sslmode=require",
    "REDIS_URL": "redis://localhost:6379/0",
    "DEFAULT_FROM_EMAIL": "Site <noreply@example.com>",
    "HEALTH_REPORT_TO": "ops@example.com,jo@example.com",
    "ANYMAIL_WEBHOOK_SECRET": "name:fifty or more random characters",
    "METRICS_TOKEN": "sixteen or more random characters",
    "DEMO_ARCHIVE_DIR": "/srv/archives",
    "AWS_SES_ACCESS_KEY_ID": "AKIA...",
    "AWS_SES_SECRET_ACCESS_KEY": "the-secret-of-that-key",
    "AWS_SES_REGION_NAME": "eu-west-1",
}
# Ages after which rows of the demonstration end, and graces; the unit is in the name.
AGES = {
    "DEMO_PENDING_MINUTES": 60,
    "DEMO_OTP_MINUTES": 1440,
    "DEMO_DRAFT_HOURS": 24,
    "DEMO_DRAFT_GRACE_DAYS": 7,
    "DEMO_UNVERIFIED_DAYS": 7,
    "DEMO_UNVERIFIED_GRACE_DAYS": 1,
    "DEMO_SOFT_BOUNCE_DAYS": 30,
    "DEMO_STALE_BOUNCE_DAYS": 90,
    "DEMO_AUDIT_LOG_DAYS": 30,
}
EXAMPLES |= {name: str(number) for name, number in AGES.items()}
SHORTEST_SECRET = 32
LONGEST_AGE = 100_000  # of any unit


def wrong(name: str, problem: str) -> NoReturn:
    """Raise ImproperlyConfigured: the variable, what is wrong with it, an example."""
    raise ImproperlyConfigured(f"{name} {problem}; for example {name}={EXAMPLES[name]!r}")


def text(name: str) -> str | None:
    """The variable's value without blanks around it, None where it is not set."""
    value = os.environ.get(name)
    if value is None:
        return None
    return value.strip() or wrong(name, "is set but empty: unset it, or give it a value")


def flag(name: str, default: bool) -> bool:
    """A yes or no."""
    value = text(name)
    if value is None:
        return default
    if value.lower() not in FLAGS:
        wrong(name, f"is neither true nor false: {value!r}")
    return FLAGS[value.lower()]


def age(name: str) -> int:
    """A whole number of the unit in the variable's name; a grace may be none."""
    value = text(name)
    if value is None:
        return AGES[name]
    least = 0 if "_GRACE_" in name else 1
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= LONGEST_AGE:
        wrong(name, f"is not a whole number from {least} to {LONGEST_AGE}: {value!r}")
    return int(value)


def names(name: str, check: Callable[[str], str | None]) -> list[str]:
    """A list separated by commas; `check` returns what is wrong with one of its parts."""
    parts = [part.strip() for part in (text(name) or "").split(",")]
    if parts == [""]:
        return []
    for part in parts:
        if problem := "has an empty part" if not part else check(part):
            wrong(name, problem)
    return parts


def allowed_hosts(debug: bool) -> list[str]:
    """Host names, without scheme or port. Required without DEBUG; Django adds localhost with it."""
    found = names("ALLOWED_HOSTS", _host_problem)
    if not found and not debug:
        wrong("ALLOWED_HOSTS", "is required when DEBUG is off")
    return found


def _host_problem(host: str) -> str | None:
    if "/" in host or " " in host:
        return f"holds names only, no address: {host!r}"
    if ":" in host and not host.startswith("["):
        return f"takes no port: {host!r}"
    return None


def trusted_origins() -> list[str]:
    """Origins with their scheme, as Django wants them."""
    return names("CSRF_TRUSTED_ORIGINS", _origin_problem)


def _origin_problem(origin: str) -> str | None:
    scheme, separator, host = origin.partition("://")
    if scheme not in ("http", "https") or not separator or not host:
        return f"needs http:// or https:// before each name: {origin!r}"
    return f"takes no path: {origin!r}" if "/" in host else None


def secret_key(debug: bool, folder: Path) -> str:
    """DJANGO_SECRET_KEY; with DEBUG and none set, one made once and kept in `folder`."""
    value = text("DJANGO_SECRET_KEY")
    if value is not None and len(value) < SHORTEST_SECRET:
        wrong("DJANGO_SECRET_KEY", f"is shorter than {SHORTEST_SECRET} characters")
    if value is None and not debug:
        wrong("DJANGO_SECRET_KEY", "is required when DEBUG is off")
    return value or keep_once(folder / "secret_key", lambda: secrets.token_urlsafe(50))


def database() -> dict[str, Any] | None:
    """Django's DATABASES entry from DATABASE_URL, None where it is not set."""
    value = text("DATABASE_URL")
    if value is None:
        return None
    try:
        return postgres_url.parse(value)
    except ValueError as error:
        wrong("DATABASE_URL", str(error))


def archive_dir(default: Path) -> str:
    """The folder of archives and of the published log."""
    value = text("DEMO_ARCHIVE_DIR")
    if value is not None and not Path(value).is_absolute():
        wrong("DEMO_ARCHIVE_DIR", f"is no path from the root: {value!r}")
    return value or str(default)


def redis_url() -> str:
    """REDIS_URL, or an empty string: then the queue is in the database."""
    value = text("REDIS_URL")
    if value is None:
        return ""
    scheme = value.partition("://")[0]
    try:
        parts = urlsplit(value)
        complete = bool(parts.path if scheme == "unix" else parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if scheme not in ("redis", "rediss", "unix") or not complete:
        wrong("REDIS_URL", "is not an address of the form redis://, rediss:// or unix://")
    return value


def from_email() -> str:
    """The sender of mails."""
    value = text("DEFAULT_FROM_EMAIL") or "webmaster@localhost"
    name, _, domain = parseaddr(value)[1].partition("@")
    if not name or not domain or "\n" in value:
        wrong("DEFAULT_FROM_EMAIL", f"is not a mail address: {value!r}")
    return value


def report_to() -> list[str]:
    """Who gets the weekly health report; with nobody there is none."""
    return names("HEALTH_REPORT_TO", _address_problem)


def _address_problem(address: str) -> str | None:
    name, _, domain = address.partition("@")
    good = name and "." in domain and not set(" <>\n").intersection(address)
    return None if good else f"holds what is no mail address: {address!r}"


def mail_service() -> dict[str, str]:
    """boto3's parameters for Amazon SES; empty where mail goes another way. All three or none."""
    parts = {
        "aws_access_key_id": "AWS_SES_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SES_SECRET_ACCESS_KEY",
        "region_name": "AWS_SES_REGION_NAME",
    }
    found = {part: value for part, name in parts.items() if (value := word(name))}
    for part, name in parts.items():
        if found and part not in found:
            wrong(name, "is required where another AWS_SES_ variable is set")
    return found


def word(name: str) -> str:
    """A value without blanks in it; empty where it is not set."""
    value = text(name) or ""
    if len(value.split()) > 1:
        wrong(name, "has a blank in it")
    return value


def webhook_secret() -> str:
    """What the mail service sends along to prove itself; empty: its webhooks are not served."""
    value = text("ANYMAIL_WEBHOOK_SECRET") or ""
    name, _, password = value.partition(":")
    if value and not (name and password):
        wrong("ANYMAIL_WEBHOOK_SECRET", "is not a name and a password")
    return value


def metrics_token() -> str:
    """What a Prometheus sends along; empty: only staff may read the metrics."""
    value = text("METRICS_TOKEN") or ""
    if value and (len(value) < 16 or not value.isascii()):
        wrong("METRICS_TOKEN", "is shorter than 16 characters of ASCII")
    return value
