"""Objects of a bucket with everything that it keeps of them: versions, and marks of deletions.

A bucket that keeps versions hides what is deleted, and has it all the same. What is locked cannot
be removed, and is not tried around: the answer says until when.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from purge import s3
from purge.archive.refusals import Unreachable


def erase(store: s3.Store, name: str, title: str) -> None:
    """Remove an object with all of its versions, and parts that were begun; then look that nothing
    is left. Raises `Unreachable` where something stays."""
    client = store.client()
    abort(store, name)
    if _lists_versions(client, store.bucket, name):
        for version in list(_versions(client, store.bucket, name)):
            _delete(client, store.bucket, name, version, title)
        if left := list(_versions(client, store.bucket, name)):
            raise Unreachable(f"{name} in {title} still has {len(left)} versions.")
    # A store that knows no versions may answer as if there were none of anything.
    if name in _names(client, store.bucket, name):
        client.delete_object(Bucket=store.bucket, Key=name)
        if name in _names(client, store.bucket, name):
            raise Unreachable(f"{name} in {title} is still there after it was deleted.")


def abort(store: s3.Store, name: str) -> None:
    """Remove the parts of an object that were put, and never became one."""
    client, place = store.client(), {"Bucket": store.bucket}
    for each in client.list_multipart_uploads(**place, Prefix=name).get("Uploads", ()):
        if each["Key"] == name:
            client.abort_multipart_upload(**place, Key=name, UploadId=each["UploadId"])


def keeps(store: s3.Store, name: str) -> bool:
    """Whether a bucket has an object, or an older version of it: a mark of a deletion is none."""
    client = store.client()
    if name in _names(client, store.bucket, name):
        return True
    if not _lists_versions(client, store.bucket, name):
        return False
    found = client.list_object_versions(Bucket=store.bucket, Prefix=name)
    return any(each["Key"] == name for each in found.get("Versions", ()))


def kept(store: s3.Store, prefix: str) -> bool:
    """Whether a bucket has an object whose name begins so, or an older version of one."""
    client, wanted = store.client(), {"Bucket": store.bucket, "Prefix": prefix}
    if client.list_objects_v2(**wanted, MaxKeys=1).get("Contents"):
        return True
    if not _lists_versions(client, store.bucket, prefix):
        return False
    pages = client.get_paginator("list_object_versions").paginate(**wanted)
    return any(page.get("Versions") for page in pages)


def _lists_versions(client: Any, bucket: str, name: str) -> bool:
    """Whether the store can list versions; whether it keeps any is seen by them."""
    try:
        client.list_object_versions(Bucket=bucket, Prefix=name, MaxKeys=1)
    except s3.errors() as error:
        if s3.code_of(error) in s3.UNKNOWN:
            return False
        raise
    return True


def _versions(client: Any, bucket: str, name: str) -> Iterator[str]:
    pages = client.get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=bucket, Prefix=name):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if each["Key"] == name:
                yield each["VersionId"]


def _names(client: Any, bucket: str, name: str) -> list[str]:
    found = client.list_objects_v2(Bucket=bucket, Prefix=name)
    return [each["Key"] for each in found.get("Contents", ())]


def _delete(client: Any, bucket: str, name: str, version: str, title: str) -> None:
    try:
        client.delete_object(Bucket=bucket, Key=name, VersionId=version)
    except s3.errors() as error:
        until = _locked_until(client, bucket, name, version)
        if s3.code_of(error) not in s3.REFUSED or not until:
            raise
        raise Unreachable(f"{name} in {title} is locked {until}: nobody can delete it.") from error


def _locked_until(client: Any, bucket: str, name: str, version: str) -> str:
    """Until when a version is locked, in words; empty where it is not, or nobody says."""
    with suppress(*s3.errors()):
        found = client.head_object(Bucket=bucket, Key=name, VersionId=version)
        if found.get("ObjectLockLegalHoldStatus") == "ON":
            return "by a legal hold of the bucket"
        if lasts := found.get("ObjectLockRetainUntilDate"):
            return f"until {lasts:%Y-%m-%d %H:%M:%S} UTC"
    return ""
