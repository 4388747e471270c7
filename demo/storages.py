"""Where files are: a folder of the project, or the bucket that the environment names."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from . import environment

EXAMPLES = {
    "AWS_STORAGE_BUCKET_NAME": "my-site",
    "AWS_S3_ENDPOINT_URL": "https://s3.example.com",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
}
environment.EXAMPLES |= EXAMPLES
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
# What newer SDKs send by default is refused by R2, MinIO and others; boto3 reads these.
CHECKSUMS = ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
MEDIA = "media"  # the folder of the bucket that pages may link to; archives are beside it


def storages() -> dict[str, Any]:
    """Django's STORAGES."""
    found = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    if bucket := bucket_name():
        found["default"] = {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": _options(bucket),  # type: ignore[dict-item]
        }
    return found


def _options(bucket: str) -> dict[str, Any]:
    for name in CHECKSUMS:
        os.environ.setdefault(name, "when_required")
    return {
        "bucket_name": bucket,
        "location": MEDIA,
        "file_overwrite": False,  # a name means one file, for ever
        "endpoint_url": endpoint(),
        "signature_version": "s3v4",
        "addressing_style": "path",
    }


def bucket_name() -> str | None:
    """The bucket; None where files are in a folder."""
    name = environment.text("AWS_STORAGE_BUCKET_NAME")
    if name and not BUCKET.fullmatch(name):
        environment.wrong("AWS_STORAGE_BUCKET_NAME", f"is not the name of a bucket: {name!r}")
    return name


def endpoint() -> str | None:
    """The store's address; R2's is made from the account. None is Amazon's."""
    address = environment.text("AWS_S3_ENDPOINT_URL")
    if address and (urlsplit(address).scheme not in ("http", "https") or "@" in address):
        environment.wrong("AWS_S3_ENDPOINT_URL", "is not an address with http:// or https://")
    return address or (f"https://{account()}.r2.cloudflarestorage.com" if account() else None)


def account() -> str | None:
    """The account of which R2 is used."""
    name = environment.text("CLOUDFLARE_ACCOUNT_ID")
    if name and not name.isalnum():
        environment.wrong("CLOUDFLARE_ACCOUNT_ID", "is not the id of an account")
    return name
