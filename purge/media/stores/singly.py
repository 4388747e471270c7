"""Buckets of which objects are deleted one by one: their stores cannot delete many at once.

DeleteObjects is the one request of the media step that stores which speak S3 often do not have, or
want otherwise than boto3 sends it (with Content-MD5, or with no CRC32). Such a bucket is found by
the answer, once, and then remembered for a day by this process.
"""

import time

from lifecycle.logs import Log
from purge import s3

REMEMBERED = 86_400.0  # seconds
TRIES = 3  # batches in a row that a store may answer with an error of its own

Place = tuple[str, str]  # endpoint and bucket
_until: dict[Place, float] = {}
_failed: dict[Place, int] = {}

log = Log("purge")


def is_asked_singly(place: Place) -> bool:
    """Whether objects of this bucket are deleted one by one."""
    return time.monotonic() < _until.get(place, 0.0)


def may_help(place: Place, error: Exception) -> bool:
    """Whether single deletes may work where this request for many has failed.

    Not where the key may not delete or the bucket is not there; a signature that does not match is
    one of other headers, for the bucket was listed with the same key before. And of a store that
    is broken for a moment only when it has been so several times in a row, for it may just have
    too much to do.
    """
    hopeless = (s3.REFUSED | s3.NO_BUCKET) - {"SignatureDoesNotMatch"}
    if not s3.has_answered(error) or s3.code_of(error) in hopeless:
        return False
    if not s3.passes(error):
        return True
    _failed[place] = _failed.get(place, 0) + 1
    return _failed[place] >= TRIES


def worked(place: Place) -> None:
    """A request for many has been answered."""
    _failed.pop(place, None)


def remember(place: Place, error: Exception) -> None:
    """A single delete has been answered where one for many was not."""
    _until[place] = time.monotonic() + REMEMBERED
    _failed.pop(place, None)
    code = s3.code_of(error)
    text = f"{' '.join(place)}: answers {code} to a delete of many: one by one from here on"
    log("media_singly", text, cause=code)
