"""System checks of archives."""

from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning

from lifecycle.conf import conf
from purge import s3
from purge.archive.destinations import NONE

DOCS = "docs/reference/checks.md"


def check_formats(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E003: a format needs what is not installed."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.dispositions import Archive
    from lifecycle.policy.registry import all_policies
    from purge.archive.formats import FORMATS

    found = [
        (policy, name)
        for policy in all_policies()
        if isinstance(policy.disposition, Archive)
        for name in policy.disposition.formats
        if FORMATS[name].missing
    ]
    return [
        Error(
            f"{policy.name} archives as {name}, which is not installed.",
            hint=f"{FORMATS[name].missing} ({DOCS}#purge-e003)",
            obj=policy.model,
            id="purge.E003",
        )
        for policy, name in found
    ]


def check_destination(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E004: there is nowhere to put archives. Asks no store."""
    if not (declared := _archiving()):
        return []
    wrong = _wrong()
    hint = f"See docs/how-to/archive-to-s3-or-r2.md. ({DOCS}#purge-e004)"
    names = ", ".join(policy.name for policy in declared)
    return [Error(f"{names}: {wrong}", hint=hint, id="purge.E004")] if wrong else []


def check_public(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W004: a storage of media shows archives to anybody."""
    store = s3.store()
    if store is None or not (declared := _archiving()):
        return []
    from purge.media.store_backoff import storages

    hint = f"Give the media storage a `location` of its own. ({DOCS}#purge-w004)"
    open_ones = [each for each in storages() if _is_public(each, store.bucket)]
    return [
        Warning(
            f"Archives of {policy.name} are in bucket {store.bucket}, which is public below"
            f" {location or 'its root'!r} by the settings of a media storage.",
            hint=hint,
            obj=policy.model,
            id="purge.W004",
        )
        for policy in declared
        for location in sorted({_location(each) for each in open_ones})
        if policy.disposition.prefix.startswith(location)
    ]


def _archiving() -> list[Any]:
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.dispositions import Archive
    from lifecycle.policy.registry import all_policies

    return [policy for policy in all_policies() if isinstance(policy.disposition, Archive)]


def _wrong() -> str:
    """What is wrong with the settings that name the destination; '' where they can be."""
    store = s3.store()
    if store is None:
        if s3.setting("CLOUDFLARE_ACCOUNT_ID"):
            return "CLOUDFLARE_ACCOUNT_ID is set, and AWS_STORAGE_BUCKET_NAME names no bucket."
        return "" if conf.ARCHIVE_DIR else NONE
    if bool(store.key) != bool(store.secret):
        return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: one is missing."
    if store.endpoint and not store.endpoint.startswith(("https://", "http://")):
        return "AWS_S3_ENDPOINT_URL must begin with https://."
    return "" if find_spec("boto3") else s3.MISSING


def _is_public(storage: Any, bucket: str) -> bool:
    if not s3.is_storage(storage) or storage.bucket_name != bucket:
        return False
    acl = str(getattr(storage, "default_acl", None) or "")
    return acl.startswith("public") or not getattr(storage, "querystring_auth", True)


def _location(storage: Any) -> str:
    location = str(getattr(storage, "location", "") or "").strip("/")
    return f"{location}/" if location else ""
