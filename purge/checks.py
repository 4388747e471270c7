"""System checks of the worker's app and of archives; those of the policies are in `lifecycle`.

They run without `lifecycle` in INSTALLED_APPS too, whose models can then not be imported: hence the
imports inside of the functions.
"""

import stat
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import router

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from lifecycle.pages import page
from purge import s3
from purge.archive.destinations import NONE
from purge.queue import is_unsigned

DOCS = "reference/checks.md"


def error(number: int, text: str, hint: str, obj: Any = None) -> Error:
    """`purge.E<number>`: something of what is declared cannot work."""
    hint = f"{hint} ({page(DOCS, f'purge-e{number:03}')})"
    return Error(text, hint=hint, obj=obj, id=f"purge.E{number:03}")


def warning(number: int, text: str, hint: str, obj: Any = None) -> Warning:
    """`purge.W<number>`: it works, and more stays or is shown than somebody may want."""
    hint = f"{hint} ({page(DOCS, f'purge-w{number:03}')})"
    return Warning(text, hint=hint, obj=obj, id=f"purge.W{number:03}")


def check_lifecycle(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E001: there is nothing to run without `lifecycle`."""
    if apps.is_installed("lifecycle"):
        return []
    hint = "Add 'lifecycle' to INSTALLED_APPS, before 'purge'."
    return [error(1, "'purge' is installed without 'lifecycle'.", hint)]


def check_runs(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E002: a database with policies has no table for the runs."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.databases import served
    from purge.models import Run

    hint = "Let the router migrate `purge` wherever `lifecycle` is."
    return [
        error(2, f"The router puts no table of `purge` into {using!r}.", hint)
        for using in served()
        if not router.allow_migrate_model(using, Run)
    ]


def check_versions(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W002: deleted media leave their bytes in a bucket. Asks the bucket: with --deploy."""
    from purge.media.store_backoff import storages

    hint = (
        "LIFECYCLE_MEDIA_DELETE_VERSIONS = True erases every version; or let the bucket's own rule"
        " end them."
    )
    buckets = {s.bucket_name: s for s in storages() if s3.is_storage(s)}
    return [
        warning(2, f"Bucket {name} keeps the bytes of what is deleted.", hint)
        for name, storage in buckets.items()
        if not conf.MEDIA_DELETE_VERSIONS and s3.is_versioned(storage.connection.meta.client, name)
    ]


def check_formats(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E003: a format needs what is not installed."""
    if not (archiving := archiving_policies()):
        return []
    from purge.archive.formats import FORMATS

    return [
        error(
            3, f"{policy.name} archives as {name}, which is not installed.",
            FORMATS[name].missing, policy.model,
        )
        for policy in archiving
        for name in policy.disposition.files
        if FORMATS[name].missing
    ]  # fmt: skip


def check_destination(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E004: there is nowhere to put archives. Asks no store."""
    archiving = archiving_policies()
    problem = _destination_problem() if archiving else ""
    names = ", ".join(policy.name for policy in archiving)
    hint = f"See {page('how-to/archive-to-s3-or-r2.md')}."
    return [error(4, f"{names}: {problem}", hint)] if problem else []


def check_public(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W004: a storage of media shows archives to anybody."""
    store = s3.store()
    if store is None or not (archiving := archiving_policies()):
        return []
    from purge.media.store_backoff import storages

    public = {_location(each) for each in storages() if _is_public(each, store.bucket)}
    return [
        warning(
            4, f"Archives of {policy.name} are in bucket {store.bucket}, which is public below"
            f" {location or 'its root'!r} by the settings of a media storage.",
            "Give the media storage a `location` of its own.", policy.model,
        )
        for policy in archiving
        for location in sorted(public)
        if policy.disposition.prefix.startswith(location)
    ]  # fmt: skip


def check_folder(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W005: other users of the machine may look into the folder of archives."""
    if s3.store() or not conf.ARCHIVE_DIR or not (archiving := archiving_policies()):
        return []
    root, hint = Path(conf.ARCHIVE_DIR), "chmod 700, and chmod go= the files that are there."
    below = {root / policy.disposition.prefix for policy in archiving}
    return [
        warning(5, f"Any user of this machine may look into {folder}, where archives are.", hint)
        for folder in sorted(below)
        if _is_open(root) and (_is_open(folder) or _is_anybodys(root))
    ]


def _is_open(folder: Path) -> bool:
    """Whether others than owner and group may list, enter or change a folder."""
    try:
        return bool(folder.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False  # it is made by the first archive, for its owner alone


def _is_anybodys(folder: Path) -> bool:
    """Whether others may move what is in a folder away, or put something in its place."""
    mode = folder.stat().st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def check_proof(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E006: the log cannot be published; purge.W007: its events could be read by anybody;
    purge.W008: nobody says how long backups are kept.
    """
    if not conf.PROOF:
        return []
    from purge.proof.options import proof_options

    hint = f"See {page('how-to/seal-the-ledger.md')}."
    try:
        options = proof_options()
    except LifecycleError as problem:
        return [error(6, str(problem), hint)]
    if problem_of := _destination_problem():
        return [error(6, f"LIFECYCLE_PROOF: {problem_of}", hint)]
    told: list[CheckMessage] = []
    if options and options.key is None:
        told.append(warning(7, "The events that are published are not encrypted.", hint))
    if conf.BACKUP_MAX_AGE is None:
        text = "How long backups are kept is not said: no certificate can tell when they expire."
        told.append(warning(8, text, "LIFECYCLE_BACKUP_MAX_AGE = 35 * 86_400, in seconds."))
    return told


def check_lock(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E007: nothing can be locked where the log goes. Asks the bucket: with --deploy."""
    if not (conf.PROOF or {}).get("lock"):
        return []
    from purge.archive.destinations import ArchiveBucket, Unreachable, destination

    hint = "Object Lock is switched on when a bucket is made; or leave `lock` out."
    try:
        where = destination()
        if isinstance(where, ArchiveBucket) and where.has_lock():
            return []
        return [
            error(7, f"LIFECYCLE_PROOF has `lock`, and {where.title} has no Object Lock.", hint)
        ]
    except Unreachable as problem:
        return [error(7, f"Whether the log can be locked is not known: {problem}", hint)]
    except LifecycleError:
        return []  # there is nowhere to put it: purge.E006


def check_setting(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E005: the site has Huey's app and no HUEY."""
    config: Any = apps.get_app_config("purge")
    if not config.lacks_queue:
        return []
    hint = "`from purge.queue import queue`, then `HUEY = queue()` in the settings."
    return [error(5, "HUEY is missing: the site would have no queue.", hint)]


def check_queue(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W006: whoever can write into the queue runs code in the worker."""
    if not apps.is_installed("huey.contrib.djhuey") or not is_unsigned():
        return []
    hint = "HUEY = purge.queue.queue(), or 'serializer': purge.signed_queue.SignedSerializer()."
    return [warning(6, "Huey's messages are pickles that nobody has signed.", hint)]


def archiving_policies() -> list[Any]:
    """The policies that end rows by `Archive`; none where `lifecycle` is not installed."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.dispositions import Archive
    from lifecycle.policy.registry import all_policies

    return [policy for policy in all_policies() if isinstance(policy.disposition, Archive)]


def _destination_problem() -> str:
    """What is wrong with the settings that name the destination; '' where nothing is."""
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
    """The folder of a storage in its bucket, with a slash; '' for the root."""
    location = str(getattr(storage, "location", "") or "").strip("/")
    return f"{location}/" if location else ""
