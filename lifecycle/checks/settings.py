"""Checks of the settings."""

from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.db import connections
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from lifecycle.checks.messages import error, warning
from lifecycle.conf import PROOF_OPTIONS, REST, THROTTLE_LIMITS, Conf
from lifecycle.exceptions import nearest
from lifecycle.policy.options import HOURS, or_none

PREFIX = "LIFECYCLE_"
SHORTEST_TOKEN = 16  # characters


def check_project(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every check of the settings."""
    return [
        *has_pgtrigger(),
        *has_postgres(),
        *has_aware_times(),
        *knows_settings(),
        *reads_settings(),
    ]


def has_pgtrigger() -> list[CheckMessage]:
    """E030: django-pgtrigger, which writes triggers into migrations, is not installed."""
    if apps.is_installed("pgtrigger"):
        return []
    text = "'pgtrigger' is not in INSTALLED_APPS: makemigrations writes no triggers."
    return [error(30, text, "Add 'pgtrigger' to INSTALLED_APPS.")]


def has_postgres() -> list[CheckMessage]:
    """E035: django.contrib.postgres, of which the ledger's tables use arrays, is not installed."""
    if apps.is_installed("django.contrib.postgres"):
        return []
    text = (
        "'django.contrib.postgres' is not in INSTALLED_APPS: the ledger's tables have its arrays."
    )
    return [error(35, text, "Add 'django.contrib.postgres' to INSTALLED_APPS.")]


def has_aware_times() -> list[CheckMessage]:
    """E031: USE_TZ is off, so that times from the database say no zone."""
    if settings.USE_TZ:
        return []
    text = "USE_TZ is False: the worker cannot compare times that name no zone, and ends nothing."
    return [error(31, text, "Set USE_TZ = True; the columns stay as they are.")]


def knows_settings() -> list[CheckMessage]:
    """W032: a setting begins as ours do, and is none of them."""
    ours, messages = list(get_type_hints(Conf)), list[CheckMessage]()
    for name in sorted(name for name in dir(settings) if name.startswith(PREFIX)):
        bare = name.removeprefix(PREFIX)
        if bare not in ours:
            near = nearest(bare, ours)
            meant = f"Did you mean {PREFIX}{near}?" if near else f"There are {', '.join(ours)}."
            messages.append(warning(32, f"{name} is no setting of this package.", meant))
    return messages


def reads_settings() -> list[CheckMessage]:
    """E033: a setting has a value that cannot be used."""
    messages: list[CheckMessage] = []
    for name, hint in get_type_hints(Conf).items():
        value = getattr(settings, PREFIX + name, getattr(Conf, name))
        accepts, wanted = RULES.get(name, (lambda value: True, ""))
        if not _fits(value, hint) or not accepts(value):
            wanted = wanted or str(hint if get_args(hint) else hint.__name__)
            # Not the value: an address may hold a password.
            text = f"{PREFIX}{name} has a value that cannot be used."
            messages.append(error(33, text, f"It must be {wanted}."))
    return messages


def _is_address(value: str) -> bool:
    try:
        conninfo_to_dict(value)
    except ProgrammingError:
        return False
    return True


def _is_site(value: str) -> bool:
    """Whether it is empty, or the beginning of an address: which scheme, which host."""
    parts = urlsplit(value)
    whole = parts.scheme in ("http", "https") and bool(parts.netloc)
    return not value or (whole and not (parts.query or parts.fragment))


def _are_limits(value: dict[str, Any] | None) -> bool:
    """Whether each is a limit that there is, and is None or more than 0."""
    numbers = (each for each in (value or {}).values() if each is not None)
    known = (value or {}).keys() <= {*THROTTLE_LIMITS, REST}
    return known and all(_is(each, float) and each > 0 for each in numbers)


def _are_proof_options(value: dict[str, Any] | None) -> bool:
    """Whether each is an option that there is, and those are there that have to be."""
    return not value or {"origin", "signing_key"} <= value.keys() <= {*PROOF_OPTIONS}


# What a setting's type does not say.
RULES: dict[str, tuple[Any, str]] = {
    "DATABASES": (
        lambda value: set(value or ()) <= {*connections},
        "a list of aliases of DATABASES",
    ),
    "DIRECT_URL": (lambda value: _is_address(value), "postgres://user:password@host:5432/name"),
    "BACKFILL_RATE": (lambda value: value >= 0, "0 or more rows a second"),
    "RECONCILE_DAYS": (lambda value: value >= 0, "0 or more days"),
    "ARCHIVE_ERASED_WITHIN": (lambda value: value > 0, "more than 0 seconds"),
    "BACKUP_MAX_AGE": (lambda value: value is None or value > 0, "more than 0 seconds, or None"),
    "PURGE_HOURS": (or_none(HOURS).accepts, HOURS.wanted),
    "MAX_LAG": (lambda value: value > 0, "more than 0 seconds"),
    "METRICS_TIMEOUT": (lambda value: 1 <= value <= 60, "between 1 and 60 seconds"),
    "METRICS_TOKEN": (
        lambda value: not value or (len(value) >= SHORTEST_TOKEN and value.isascii()),
        f"empty, or {SHORTEST_TOKEN} characters of ASCII or more",
    ),
    "NOTICE_URL": (_is_site, "empty, or a site as https://example.com"),
    "NOTICES_PER_HOUR": (lambda value: value > 0, "1 or more"),
    "THROTTLE": (
        _are_limits,
        f"None, or numbers above 0 for some of {', '.join([*THROTTLE_LIMITS, REST])}",
    ),
    "PROOF": (
        _are_proof_options,
        f"None, or a dict of {', '.join(PROOF_OPTIONS)}, the first two given",
    ),
    "TWO_PERSON": (lambda value: value in (True, False, "roles"), 'True, False or "roles"'),
    "MAX_STOPPED": (lambda value: value is None or value > 0, "more than 0 seconds, or None"),
}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, or of one of several; a list does for a tuple."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return any(_is(value, kind) for kind in kinds)


def _is(value: Any, kind: Any) -> bool:
    if value is None or kind is NoneType:
        return value is None and kind is NoneType
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int | float)
    parts = get_args(kind)
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return len(value) == len(parts) and all(map(_is, value, parts))
    if get_origin(kind) is list:
        return isinstance(value, list | tuple) and all(_is(each, parts[0]) for each in value)
    return isinstance(value, get_origin(kind) or kind)
