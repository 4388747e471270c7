"""Object stores that speak S3: settings, client, errors. The only module that imports boto3.

The settings are django-storages' own, read from Django's settings or else from the environment:

    AWS_STORAGE_BUCKET_NAME     nothing goes to a bucket without it
    AWS_S3_ENDPOINT_URL         of a store that is not Amazon's
    CLOUDFLARE_ACCOUNT_ID       instead of the endpoint: R2 of that account
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
    AWS_S3_REGION_NAME          `auto` for R2, which is the default there
"""

import os
import sys
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings

from lifecycle.exceptions import LifecycleError

MISSING = "boto3 is not installed: pip install 'django-tombstone[s3]'."
ATTEMPTS = 3  # of one request, with a pause between; then the caller's own back-off begins
CONNECT, READ = 5, 30  # seconds
VERSIONED_FOR = 300.0  # seconds that the answer whether a bucket keeps versions is remembered

# Codes of a store that is busy or broken: the same request may succeed later.
TRANSIENT = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling"}
# Codes and statuses of what a store does not have, and will not have in a moment either.
UNKNOWN, NO_SUCH = {"NotImplemented", "MethodNotAllowed"}, {405, 501, 505}
NO_BUCKET = {"NoSuchBucket"}
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"}


STATUSES = {
    403: "AccessDenied", 404: "NoSuchKey", 405: "MethodNotAllowed", 500: "InternalError",
    501: "NotImplemented", 502: "BadGateway", 503: "SlowDown", 504: "GatewayTimeout",
}  # fmt: skip


@dataclass(frozen=True)
class Store:
    """A bucket and how it is reached. The secret is in no representation."""

    bucket: str
    endpoint: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)

    def client(self) -> Any:
        """The client of this store; one for each set of settings, for all threads."""
        return _client(self)


def setting(name: str) -> str:
    """A setting of the project, else of the environment; empty where neither has it."""
    return str(getattr(settings, name, None) or os.environ.get(name) or "")


def store() -> Store | None:
    """The store that the settings name; None where they name no bucket."""
    bucket = setting("AWS_STORAGE_BUCKET_NAME")
    if not bucket:
        return None
    endpoint, region = setting("AWS_S3_ENDPOINT_URL"), setting("AWS_S3_REGION_NAME")
    if account := setting("CLOUDFLARE_ACCOUNT_ID"):
        endpoint = endpoint or f"https://{account}.r2.cloudflarestorage.com"
        region = region or "auto"
    keys = setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY")
    return Store(bucket, endpoint, region, *keys)


@lru_cache(maxsize=8)
def _client(store: Store) -> Any:
    boto3, config = _boto3(), _config()
    return boto3.session.Session().client(
        "s3",
        endpoint_url=store.endpoint or None,
        region_name=store.region or None,
        aws_access_key_id=store.key or None,
        aws_secret_access_key=store.secret or None,
        config=config,
    )


def _config() -> Any:
    """Checksums only where S3 demands them: R2, MinIO and others refuse the newer ones."""
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": setting("AWS_S3_ADDRESSING_STYLE") or "path"},
    )


def _boto3() -> Any:
    try:
        import boto3
    except ImportError:
        raise LifecycleError(MISSING) from None
    return boto3


def errors() -> tuple[type[Exception], ...]:
    """The exceptions of a client when a store refuses, or cannot be reached."""
    _boto3()
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    return (BotoCoreError, ClientError, HTTPClientError)


def code_of(error: BaseException) -> str:
    """The store's code of an error, `AccessDenied`; the error's class name where it has none."""
    response = getattr(error, "response", None) or {}
    code, status = str(response.get("Error", {}).get("Code") or ""), _status(error)
    if not code or code.isdigit():  # an answer to HEAD has no body
        code = STATUSES.get(status, code)
    return code or type(error).__name__


def passes(error: BaseException) -> bool:
    """Whether the same request may well succeed in a moment: busy, broken, or out of reach."""
    if not has_answered(error):
        return True
    status, code = _status(error), code_of(error)
    if code in UNKNOWN or status in NO_SUCH:
        return False
    return code in TRANSIENT or status >= 500


def has_answered(error: BaseException) -> bool:
    """Whether the error is an answer of the store."""
    return bool(getattr(error, "response", None))  # botocore's own errors have it, empty


def _status(error: BaseException) -> int:
    answer = getattr(error, "response", None) or {}
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def is_missing(error: BaseException) -> bool:
    """Whether an error says that there is no such object."""
    return code_of(error) in {"NoSuchKey", "NotFound", "404"}


def is_storage(storage: Any) -> bool:
    """Whether it is django-storages' `S3Storage`, or made of it."""
    kind = storage.__class__  # Django's own default storage is made here, and its module imported
    module = sys.modules.get("storages.backends.s3")  # who has one has imported it
    return module is not None and issubclass(kind, module.S3Storage)


_versioned: dict[tuple[str, str], tuple[float, bool]] = {}


def is_versioned(client: Any, bucket: str) -> bool:
    """Whether a bucket keeps versions, so that a delete leaves the bytes; read every few minutes.

    False where the store refuses to say.
    """
    place = (client.meta.endpoint_url, bucket)
    read_at, known = _versioned.get(place, (-VERSIONED_FOR, False))
    if time.monotonic() - read_at < VERSIONED_FOR:
        return known
    try:
        answer = client.get_bucket_versioning(Bucket=bucket)
    except errors() as error:
        if passes(error):
            raise
        answer = {}
    known = answer.get("Status") in ("Enabled", "Suspended")
    _versioned[place] = time.monotonic(), known
    return known
