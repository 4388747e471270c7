"""A bucket of S3, R2, or any store that speaks S3, where archives are kept.

Nothing is put over what is there. What a store answers is said by the errors of `refusals`.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from purge import s3
from purge.archive import versions
from purge.archive.folder import PART
from purge.archive.refusals import ObjectChanged, ObjectExists, ObjectMissing, Unlocked, Unreachable

EXISTS = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
#: of a bucket without Object Lock
NO_LOCK = {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"}
LARGE = 64 * 2**20  # bytes; more is put in parts
LARGE_PART = 16 * 2**20  # bytes, of which 10,000 are one object at most


@dataclass(frozen=True)
class ArchiveBucket:
    """A bucket of S3, R2, or any store that speaks S3."""

    store: s3.Store

    @property
    def title(self) -> str:
        return f'bucket "{self.store.bucket}"'

    def url(self, name: str) -> str:
        return f"s3://{self.store.bucket}/{name}"

    def names(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        with self._translated(prefix):
            pages = self.store.client().get_paginator("list_objects_v2")
            wanted = {"Prefix": prefix} | ({"StartAfter": after} if after else {})
            for page in pages.paginate(Bucket=self.store.bucket, **wanted):
                found = ((item["Key"], item["Size"]) for item in page.get("Contents", ()))
                yield from (each for each in found if each[0] > after)

    def read(self, name: str) -> Iterator[bytes]:
        with self._translated(name):
            found = self.store.client().get_object(Bucket=self.store.bucket, Key=name)
            with closing(found["Body"]) as body:
                yield from body.iter_chunks(PART)

    def put(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with self._translated(name):
            if size <= LARGE:
                self._request("put_object", name, Body=file, Metadata=metadata, IfNoneMatch="*")
            else:
                self._put_parts(name, file, metadata)

    def _put_parts(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        upload = self._request("create_multipart_upload", name, Metadata=metadata)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            while body := file.read(LARGE_PART):
                number = len(parts) + 1
                put = self._request(
                    "upload_part", name, UploadId=upload, PartNumber=number, Body=body
                )
                parts.append({"PartNumber": number, "ETag": put["ETag"]})
            whole = {"UploadId": upload, "MultipartUpload": {"Parts": parts}, "IfNoneMatch": "*"}
            self._request("complete_multipart_upload", name, **whole)
        except BaseException:
            with suppress(*s3.errors()):
                self._request("abort_multipart_upload", name, UploadId=upload)
            raise

    def replace(self, name: str, body: bytes, before: bytes | None) -> None:
        condition, found = {"IfNoneMatch": "*"}, None
        try:
            with self._translated(name):
                answer = self._request("get_object", name)
                with closing(answer["Body"]) as stream:
                    found = bytes(stream.read())
                condition = {"IfMatch": answer["ETag"]}
        except ObjectMissing:
            pass
        if found != before:
            raise ObjectChanged(f"{name} in {self.title} is another one than before.")
        try:
            with self._translated(name):
                self._put_if(name, body, condition)
        except ObjectExists as error:
            raise ObjectChanged(f"{name} in {self.title} has changed just now.") from error

    def _put_if(self, name: str, body: bytes, condition: dict[str, str]) -> None:
        """Put under a condition; a store that has no If-Match has what was read a moment ago."""
        try:
            self._request("put_object", name, Body=body, **condition)
        except s3.errors() as error:
            if "IfMatch" not in condition or s3.code_of(error) not in s3.UNKNOWN:
                raise
            self._request("put_object", name, Body=body)

    def metadata(self, name: str) -> dict[str, str]:
        with self._translated(name):
            return dict(self._request("head_object", name).get("Metadata", {}))

    def has_lock(self) -> bool:
        """Whether the bucket has Object Lock; `Unreachable` where that cannot be known."""
        try:
            answer = self.store.client().get_object_lock_configuration(Bucket=self.store.bucket)
        except s3.errors() as error:
            if s3.code_of(error) in NO_LOCK | s3.UNKNOWN:
                return False
            raise Unreachable(f"{self.title} answers {s3.code_of(error)}.") from error
        return bool(answer["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled")

    def retain(self, name: str, until: datetime) -> None:
        """Lock an object, so that nobody can delete it before a time, and read that back.

        One that is locked for longer stays so. Raises `Unlocked` where it is not locked then.
        """
        if not self._is_retained(name, until):
            wanted = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
            try:
                with self._translated(name):
                    self._request("put_object_retention", name, Retention=wanted)
            except Unreachable as error:
                raise Unlocked(f"{name} in {self.title} cannot be locked: {error}") from error
            if not self._is_retained(name, until):
                raise Unlocked(f"{name} in {self.title} is not locked.")

    def _is_retained(self, name: str, until: datetime) -> bool:
        with self._translated(name):
            found = self._request("head_object", name)
        lasts = found.get("ObjectLockRetainUntilDate")
        is_late_enough = lasts is not None and lasts >= until - timedelta(seconds=1)
        return bool(found.get("ObjectLockMode") == "COMPLIANCE" and is_late_enough)

    def remove(self, name: str) -> None:
        with self._translated(name):
            versions.abort(self.store, name)
            self._request("delete_object", name)

    def keeps(self, name: str) -> bool:
        with self._translated(name):
            return versions.keeps(self.store, name)

    def kept(self, prefix: str) -> bool:
        with self._translated(prefix):
            return versions.kept(self.store, prefix)

    def erase(self, name: str) -> None:
        with self._translated(name):
            versions.erase(self.store, name, self.title)

    def _request(self, operation: str, name: str, **options: Any) -> Any:
        method = getattr(self.store.client(), operation)
        return method(Bucket=self.store.bucket, Key=name, **options)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except s3.errors() as error:
            if s3.is_missing(error):
                raise ObjectMissing(f"{name} is missing in {self.title}.") from error
            if s3.code_of(error) in EXISTS:
                raise ObjectExists(f"{name} is in {self.title} already.") from error
            raise Unreachable(f"{self.title} answers {s3.code_of(error)}.") from error
