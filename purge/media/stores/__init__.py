"""How the media step reads and deletes objects of each kind of storage."""

from typing import Any

from django.core.files.storage import FileSystemStorage

from purge import s3
from purge.media.stores.base import Store
from purge.media.stores.bucket import MediaBucket
from purge.media.stores.folder import MediaFolder


def store_of(storage: Any) -> Store:
    """The store of a storage; a plain `Store` for a storage of any other kind."""
    if isinstance(storage, FileSystemStorage):
        return MediaFolder(storage)
    return MediaBucket(storage) if s3.is_storage(storage) else Store(storage)
