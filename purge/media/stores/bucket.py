"""Media in a bucket, through the client of django-storages' `S3Storage`.

Listing a page of 1,000 keys costs about as much as one HEAD, so names that stand close together are
listed, those that are scattered over a large bucket are asked for one by one, several at a time.
Only the listed object is deleted: in a versioned bucket those very versions; elsewhere, with
LIFECYCLE_MEDIA_IF_MATCH, only while the object has the ETag that it had.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from lifecycle.conf import conf
from purge import s3
from purge.media.stores import singly
from purge.media.stores.base import GONE, TICK, Listing, Store, StoredObject

REQUEST_KEYS = 1_000  # at most
DENSE = 30  # of the names asked for on a page of a listing, or the rest are asked for singly
PARALLEL = 10  # requests at once; as many connections as a client has
UPLOADED_AGAIN = "UploadedAgain"


class MediaBucket(Store):
    """One bucket, below the storage's location."""

    def __init__(self, storage: Any) -> None:
        super().__init__(storage)
        self.where = {"Bucket": storage.bucket_name}

    @cached_property
    def client(self) -> Any:
        """The storage's own; making it takes a tenth of a second in each thread."""
        return self.storage.connection.meta.client

    @property
    def root(self) -> tuple[str, ...]:
        return ("bucket", self.where["Bucket"])

    @property
    def prefix(self) -> str:
        location = self.storage.location.strip("/")
        return f"{location}/" if location else ""

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*self.root, self.storage.endpoint_url, self.prefix)

    def list_objects(self, names: Iterable[str]) -> Listing:
        wanted = {self.path(name): name for name in names}
        self.slack, self.refused = TICK, dict[str, str]()
        if s3.is_versioned(self.client, self.where["Bucket"]):
            found = self._versions(wanted)
        else:
            found = self._listed(sorted(wanted))
        failed = {wanted[key]: code for key, code in self.refused.items()}
        return Listing({wanted[key]: one for key, one in found.items()}, self.slack, failed)

    def delete(self, found: Mapping[str, StoredObject]) -> dict[str, str]:
        codes: dict[str, str] = {}
        items = [item for name, one in found.items() for item in self._items(name, one)]
        for first in range(0, len(items), REQUEST_KEYS):
            for name, code in self._request(items[first : first + REQUEST_KEYS]):
                codes[name] = codes.get(name) or code  # one version that is refused is enough
        return codes

    def _listed(self, keys: list[str]) -> dict[str, StoredObject]:
        """Page by page while pages have enough of the keys; then the rest singly.

        A listing may be behind, so what it does not have is asked for singly too.
        """
        found: dict[str, StoredObject] = {}
        singly: list[str] = []
        while keys:
            answer = self._page(keys[0])
            there = {item["Key"]: item for item in answer.get("Contents", ())}
            last = max(there, default="") if answer["IsTruncated"] else keys[-1]
            seen = [key for key in keys if key <= last]
            found |= {key: _object(there[key]) for key in seen if key in there}
            singly += [key for key in seen if key not in there]
            keys = keys[len(seen) :]
            if len(seen) < DENSE:
                break
        return found | self._headed(singly + keys)

    def _page(self, first: str) -> dict[str, Any]:
        """A page of the listing that begins with this key, or a little before it."""
        after = first[:-1]
        if "!" < first[-1] <= "~":
            after += chr(ord(first[-1]) - 1)
        start = {"StartAfter": after} if after else {}
        answer = self.client.list_objects_v2(**self.where, Prefix=self.prefix, **start)
        self._note_clock(answer)
        return dict(answer)

    def _headed(self, keys: list[str]) -> dict[str, StoredObject]:
        if not keys:
            return {}
        with ThreadPoolExecutor(PARALLEL) as pool:
            answers = zip(keys, pool.map(self._head, keys), strict=True)
            return {key: one for key, one in answers if one}

    def _head(self, key: str) -> StoredObject | None:
        try:
            answer = self.client.head_object(**self.where, Key=key)
        except s3.errors() as error:
            if s3.passes(error):
                raise
            if not s3.is_missing(error):
                self.refused[key] = s3.code_of(error)  # of this key; the others are listed
            return None
        return _object(answer)

    def _versions(self, wanted: dict[str, str]) -> dict[str, StoredObject]:
        """Of each key all versions; `at` is when the latest one was written."""
        found: dict[str, StoredObject] = {}
        with ThreadPoolExecutor(PARALLEL) as pool:
            for key, versions in zip(wanted, pool.map(self._versions_of, wanted), strict=True):
                bytes_left = [each for each in versions if "Size" in each]
                if not bytes_left or not (conf.MEDIA_DELETE_VERSIONS or _is_live(versions)):
                    continue
                at = max(each["LastModified"] for each in bytes_left)
                marks = [each["VersionId"] for each in versions]
                found[key] = StoredObject(at, mark={"versions": marks})
        return found

    def _versions_of(self, key: str) -> list[dict[str, Any]]:
        """What is stored under a key, delete markers too, which have no size."""
        pages = self.client.get_paginator("list_object_versions")
        found = []
        for page in pages.paginate(**self.where, Prefix=key):
            self._note_clock(page)
            items = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found += [item for item in items if item["Key"] == key]
            if any(item["Key"] > key for item in items):
                break
        return found

    def _note_clock(self, answer: Mapping[str, Any]) -> None:
        """How far the store's clock is from ours, which is about the database's."""
        head = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if "date" in head:
            skew = abs(time.time() - parsedate_to_datetime(head["date"]).timestamp())
            self.slack = max(self.slack, TICK + (skew if skew > 2 * TICK else 0))

    def _items(self, name: str, one: StoredObject) -> list[dict[str, Any]]:
        """The items of one name in a request to delete."""
        key, mark = self.path(name), one.mark or {}
        if "versions" in mark and conf.MEDIA_DELETE_VERSIONS:
            return [{"Key": key, "VersionId": each} for each in mark["versions"]]
        if "etag" in mark and conf.MEDIA_IF_MATCH:
            return [{"Key": key, "ETag": mark["etag"]}]
        return [{"Key": key}]

    @property
    def place(self) -> singly.Place:
        return (self.client.meta.endpoint_url, self.where["Bucket"])

    def _request(self, items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        """Name and code of each key; one by one where the store cannot delete many at once."""
        if singly.is_asked_singly(self.place):
            yield from self._one_by_one(items)
            return
        try:
            answer = self.client.delete_objects(**self.where, Delete={"Objects": items})
        except s3.errors() as error:
            if not singly.may_help(self.place, error):
                raise
            first = self._delete_one(items[0])  # raises what says that it does not help either
            singly.remember(self.place, error)
            yield first
            yield from self._one_by_one(items[1:])
        else:
            singly.worked(self.place)
            yield from self._answered(items, answer)

    def _one_by_one(self, items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        with ThreadPoolExecutor(PARALLEL) as pool:
            yield from pool.map(self._delete_one, items)

    def _delete_one(self, item: dict[str, Any]) -> tuple[str, str]:
        """Name and code of one key. A store that has no such request raises, as a busy one does."""
        only = {"IfMatch": item["ETag"]} if "ETag" in item else {}
        named = {name: value for name, value in item.items() if name != "ETag"}
        code = GONE
        try:
            self.client.delete_object(**self.where, **named, **only)
        except s3.errors() as error:
            code = s3.code_of(error)
            if s3.passes(error) or code in s3.UNKNOWN:
                raise
        return item["Key"].removeprefix(self.prefix), _code(code)

    def _answered(
        self, items: list[dict[str, Any]], answer: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        """Name and code of each key; a key that the answer does not name is not gone."""
        gone = {item["Key"] for item in answer.get("Deleted", ())}
        errors = {item["Key"]: item.get("Code", "Unknown") for item in answer.get("Errors", ())}
        for key in {item["Key"] for item in items}:
            code = errors.get(key) or (GONE if key in gone else "NoAnswer")
            yield key.removeprefix(self.prefix), _code(code)

    def undo(self, deleted: Mapping[str, StoredObject], shown: Callable[[], set[str]]) -> list[str]:
        """In a versioned bucket a delete writes a marker, which can be removed."""
        marked = {n: f for n, f in deleted.items() if "versions" in (f.mark or {})}
        if not marked or conf.MEDIA_DELETE_VERSIONS:
            return []
        live = shown()
        return [name for name, one in marked.items() if self._put_back(name, one, name in live)]

    def _put_back(self, name: str, one: StoredObject, live: bool) -> bool:
        """Remove our marker where a row shows the name, or a version is new."""
        key = self.path(name)
        versions = self._versions_of(key)
        left = any("Size" in each for each in versions)
        if not left or any(_replaced_the_bytes(each) for each in versions):
            return False  # nothing to put back: it is gone, and recorded so
        fresh = [each for each in versions if each["VersionId"] not in one.mark["versions"]]
        if not live and not any("Size" in each for each in fresh):
            return False
        for marker in (each for each in fresh if "Size" not in each):
            self.client.delete_object(**self.where, Key=key, VersionId=marker["VersionId"])
        return True


def _object(item: Mapping[str, Any]) -> StoredObject:
    at = item["LastModified"].astimezone(UTC)
    return StoredObject(at, mark={"etag": item["ETag"]} if item.get("ETag") else None)


def _is_live(versions: list[dict[str, Any]]) -> bool:
    """Whether the latest of them is an object, not a delete marker."""
    latest = [each for each in versions if each.get("IsLatest")]
    return any("Size" in each for each in latest)


def _replaced_the_bytes(version: Mapping[str, Any]) -> bool:
    """Whether a delete was a marker in the place of the object: versions are suspended."""
    return version["VersionId"] == "null" and "Size" not in version and bool(version["IsLatest"])


def _code(code: str) -> str:
    if code in ("NoSuchKey", "NoSuchVersion"):
        return GONE
    return UPLOADED_AGAIN if code == "PreconditionFailed" else code
