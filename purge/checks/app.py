"""System checks of the worker's app; those of the policies are in `lifecycle`."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import router

DOCS = "docs/reference/checks.md"


def check_lifecycle(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E001: there is nothing to run without `lifecycle`."""
    if apps.is_installed("lifecycle"):
        return []
    hint = f"Add 'lifecycle' to INSTALLED_APPS, before 'purge'. ({DOCS}#purge-e001)"
    return [Error("'purge' is installed without 'lifecycle'.", hint=hint, id="purge.E001")]


def check_versions(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W002: deleted media leave their bytes in a bucket. Asks the bucket: with --deploy."""
    from lifecycle.conf import conf
    from purge import s3
    from purge.media.store_backoff import storages

    hint = (
        "LIFECYCLE_MEDIA_DELETE_VERSIONS = True erases every version; or let the bucket's own rule"
        f" end them. ({DOCS}#purge-w002)"
    )
    found = {s.bucket_name: s for s in storages() if s3.is_storage(s)}
    return [
        Warning(f"Bucket {name} keeps the bytes of what is deleted.", hint=hint, id="purge.W002")
        for name, storage in found.items()
        if not conf.MEDIA_DELETE_VERSIONS and s3.is_versioned(storage.connection.meta.client, name)
    ]


def check_runs(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E002: a database with policies has no table for the runs."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.databases import served
    from purge.models import Run

    hint = f"Let the router migrate `purge` wherever `lifecycle` is. ({DOCS}#purge-e002)"
    return [
        Error(f"The router puts no table of `purge` into {using!r}.", hint=hint, id="purge.E002")
        for using in served()
        if not router.allow_migrate_model(using, Run)
    ]
