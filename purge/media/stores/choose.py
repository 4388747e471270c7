"""Choose."""

from typing import Any

from django.core.files.storage import FileSystemStorage

from purge.media.stores.base import Store
from purge.media.stores.folder import Folder


def store_of(storage: Any) -> Store:
    """How the step talks to a storage."""
    from purge import s3

    if isinstance(storage, FileSystemStorage):
        return Folder(storage)
    if s3.is_storage(storage):
        from purge.media.stores.bucket import Bucket

        return Bucket(storage)
    return Store(storage)
