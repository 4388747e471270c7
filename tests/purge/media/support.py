"""What the tests of the media step share: drafts with files, orphans, the step."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import override_settings
from psycopg.types.json import Jsonb

from demo.models import Service
from lifecycle.db.connection import fetch
from lifecycle.models import AgendaEntry, Event
from purge.media.stores.folder import FILE_TICK

FIELD = {"model": "demo.servicemedia", "field": "file"}
_numbers = itertools.count()


def make_service(**values: Any) -> Service:
    owner, _ = get_user_model().objects.get_or_create(username="owner")
    return Service.objects.create(owner=owner, title="a", **values)


def orphaned(
    *names: str, model: str = FIELD["model"], field: str = FIELD["field"], wait: bool = True
) -> int:
    """The event that a trigger writes when no row shows these names any more; due now."""
    if wait:
        time.sleep(2 * FILE_TICK)  # a file that was written this moment would be waited for
    detail = Jsonb({"field": field, "names": list(names)})
    text = (
        "SELECT lifecycle.write_v1('media_orphaned', '', %(model)s, NULL, %(count)s, NULL,"
        " lifecycle.now_v1(), NULL, %(detail)s, NULL)"
    )
    return int(
        fetch("default", text, {"model": model, "count": len(names), "detail": detail})[0][0]
    )


def stored(name: str = "", body: bytes = b"x", aged: bool = True) -> str:
    """A file of the default storage, from two hours ago where the storage is a folder."""
    name = default_storage.save(name or f"services/{next(_numbers)}.jpg", ContentFile(body))
    if aged:
        age(name)
    return name


def age(name: str, hours: float = 2) -> None:
    """Make a file older."""
    if not isinstance(default_storage, FileSystemStorage):
        return
    path = default_storage.path(name)
    before = os.stat(path).st_mtime - hours * 3600
    os.utime(path, (before, before))


def told(kind: str) -> dict[str, Any]:
    """What the ledger says of names by events of a kind: the detail without them."""
    return {
        name: {key: value for key, value in event.detail.items() if key != "names"}
        for event in Event.objects.filter(kind=kind).order_by("pk")
        for name in event.detail["names"]
    }


def waiting() -> list[datetime]:
    """When the media on the agenda are due."""
    return list(
        AgendaEntry.objects.filter(policy="").order_by("pk").values_list("due_at", flat=True)
    )


@contextmanager
def folder(path: Path) -> Iterator[Path]:
    """Media go below this folder."""
    with override_settings(MEDIA_ROOT=str(path)):
        yield path


@contextmanager
def bucket_storage(bucket: Any, **options: Any) -> Iterator[Any]:
    """Media go to this bucket."""
    where = {
        "bucket_name": bucket.name,
        "endpoint_url": bucket.server.endpoint,
        "access_key": bucket.server.key,
        "secret_key": bucket.server.secret,
        "region_name": "us-east-1",
        "addressing_style": "path",
    }
    backend = "storages.backends.s3.S3Storage"
    with override_settings(STORAGES={"default": {"BACKEND": backend, "OPTIONS": where | options}}):
        yield bucket
