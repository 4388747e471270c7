"""Stores that speak S3 and differ from Amazon's: no batch delete, or another one than boto3 sends.

Each ends in the same: what is to go is gone, nothing else is; or every name is blocked with the
store's own code, and people are told. Generated: a store that differs is a line.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from lifecycle.insight.media_status import media_status
from lifecycle.models import AgendaEntry, Event
from purge.media import store_backoff
from purge.media.run import run_media
from purge.media.stores import singly
from purge.models import Run
from tests.purge.media.support import bucket_storage, orphaned, told
from tests.purge.media.test_bucket import later
from tests.s3.strict import Strict
from tests.s3.swift import Bucket, Server

pytestmark = pytest.mark.django_db
ONCE = {"max_attempts": 1, "mode": "standard"}  # boto3's own pauses take seconds
NAMES = ("a.txt", "b c+d%20.txt", "ü<&>.txt")

#: how a store answers DeleteObjects for ever, and how many passes it takes to find that out
REFUSALS: dict[str, tuple[int, str, int]] = {
    "501": (501, "NotImplemented", 1),
    "405": (405, "MethodNotAllowed", 1),
    "400 malformed": (400, "MalformedXML", 1),
    "400 argument": (400, "InvalidArgument", 1),
    "404 of the request": (404, "NoSuchKey", 1),
    "403 signature": (403, "SignatureDoesNotMatch", 1),
    "411": (411, "MissingContentLength", 1),
    "500": (500, "InternalError", singly.TRIES),
    "502": (502, "BadGateway", singly.TRIES),
    "503": (503, "ServiceUnavailable", singly.TRIES),
}
MD5 = ("MissingContentMD5", "InvalidRequest", "InvalidDigest")
CHECKSUMS = ("when_required", "when_supported")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    for known in (store_backoff._backed_off, singly._until, singly._failed):
        known.clear()


def config(checksums: str) -> Config:
    return Config(
        retries=ONCE, request_checksum_calculation=checksums,
        response_checksum_validation=checksums, s3={"addressing_style": "path"},
    )  # fmt: skip


def passed(passes: int) -> Any:
    """So many passes, with the pauses of the store between them left out."""
    for _ in range(passes):
        store_backoff._backed_off.clear()
        outcome = run_media()
    return outcome


QUIRKS = [
    *(pytest.param({"always": told[:2]}, told[2], id=name) for name, told in REFUSALS.items()),
    *(pytest.param({"md5": code}, 1, id=f"wants MD5: {code}") for code in MD5),
    pytest.param({}, 1, id="as Amazon's"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("quirk", "passes"), QUIRKS)
@pytest.mark.parametrize("checksums", CHECKSUMS)
def test_what_is_to_go_is_gone(
    strict_s3: Strict, quirk: dict[str, Any], passes: int, checksums: str
) -> None:
    if "always" in quirk:
        strict_s3.always["DELETE_OBJECTS"] = quirk["always"]
    strict_s3.needs_md5 = quirk.get("md5", "")
    options = {"client_config": config(checksums), "location": "media"}
    with bucket_storage(strict_s3.bucket(), **options) as bucket:
        names = [default_storage.save(name, ContentFile(b"x")) for name in NAMES]
        stays = default_storage.save("stays.txt", ContentFile(b"x"))
        orphaned(*names, wait=False)
        later()
        outcome = passed(passes)
        assert (outcome.purged, outcome.blocked) == (len(NAMES), 0)
        assert bucket.keys() == [f"media/{stays}"]
        assert told("media_purged").keys() == set(names)
        assert not AgendaEntry.objects.exists()
        assert strict_s3.count("DELETE") == (len(NAMES) if quirk else 0)
        _is_remembered(strict_s3, bool(quirk))
    assert not media_status()


def _is_remembered(strict: Strict, differs: bool) -> None:
    """Of the next files no store that differs is asked for a batch again."""
    strict.calls.clear()
    orphaned(name := default_storage.save("next.txt", ContentFile(b"x")), wait=False)
    later()
    assert passed(1).purged == 1
    assert (strict.count("DELETE_OBJECTS"), strict.count("DELETE")) == (int(not differs), differs)
    assert name in told("media_purged")


#: what a store answers to a batch and to a single delete: then nobody can delete there
NEITHER = [(501, "NotImplemented"), (405, "MethodNotAllowed")]


@pytest.mark.parametrize(("batch", "single"), [*itertools.product(NEITHER, NEITHER)])
def test_a_store_that_has_no_delete_is_named(
    strict_s3: Strict, batch: tuple[int, str], single: tuple[int, str]
) -> None:
    strict_s3.always |= {"DELETE_OBJECTS": batch, "DELETE": single}
    with bucket_storage(strict_s3.bucket(), client_config=config("when_required")) as bucket:
        orphaned(name := default_storage.save("a.txt", ContentFile(b"x")), wait=False)
        later()
        outcome = passed(1)
        assert (outcome.blocked, outcome.locked) == (1, 0)
        assert Event.objects.get(kind="blocked").detail["code"] == single[1]
        assert bucket.keys() == [name]
    assert "cannot be deleted" in media_status()[0].problems[0]


def test_one_key_that_may_not_be_deleted_holds_up_no_other(strict_s3: Strict) -> None:
    strict_s3.always["DELETE_OBJECTS"] = (501, "NotImplemented")
    strict_s3.key_errors["a.txt"] = "AccessDenied"
    with bucket_storage(strict_s3.bucket(), client_config=config("when_required")) as bucket:
        names = [default_storage.save(each, ContentFile(b"x")) for each in ("a.txt", "b.txt")]
        orphaned(*names, "missing.txt", wait=False)
        later()
        outcome = passed(1)
        assert (outcome.purged, outcome.blocked) == (2, 1)
        assert bucket.keys() == ["a.txt"]
        assert told("blocked")["a.txt"]["code"] == "AccessDenied"


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
def test_who_may_not_delete_is_not_asked_again_singly(strict_s3: Strict, code: str) -> None:
    strict_s3.always["DELETE_OBJECTS"] = (403 if code == "AccessDenied" else 404, code)
    with bucket_storage(strict_s3.bucket(), client_config=config("when_required")):
        orphaned(default_storage.save("a.txt", ContentFile(b"x")), wait=False)
        later()
        assert passed(1).blocked == 1
        assert strict_s3.count("DELETE") == 0
        assert told("blocked")["a.txt"]["code"] == code


@pytest.mark.slow
def test_a_store_that_is_busy_is_named_and_goes_on(strict_s3: Strict) -> None:
    """A passing error: no names are blocked, no fallback at once; `status` says what it answers."""
    strict_s3.always["DELETE_OBJECTS"] = (503, "SlowDown")
    with bucket_storage(strict_s3.bucket(), client_config=config("when_required")):
        orphaned(default_storage.save("a.txt", ContentFile(b"x")), wait=False)
        later()
        assert passed(1).locked == 1
        assert strict_s3.count("DELETE") == 0
        assert Run.objects.get(policy="").error == "SlowDown"
        (status,) = media_status()
        assert any("fail with SlowDown" in problem for problem in status.problems)
        strict_s3.always.clear()
        assert passed(1).purged == 1
        assert (strict_s3.count("DELETE"), media_status()) == (0, [])


@pytest.mark.parametrize("erase", [False, True])
def test_versions_go_singly_too(s3_server: Server, erase: bool) -> None:
    """On a real server, whose batch delete is taken away from the client."""
    with (
        bucket_storage(s3_server.bucket(versioned=True)) as bucket,
        override_settings(LIFECYCLE_MEDIA_DELETE_VERSIONS=erase),
    ):
        for body in (b"1", b"2"):
            bucket.put("a.txt", body)
        bucket.put("b.txt", b"stays")
        singly._until[_place()] = float("inf")
        orphaned("a.txt", wait=False)
        later()
        assert passed(1).purged == 1
        assert bucket.keys() == ["b.txt"]
        assert _versions(bucket, "a.txt") == (0 if erase else 2)


def _place() -> singly.Place:
    storage: Any = default_storage
    return (storage.connection.meta.client.meta.endpoint_url, storage.bucket_name)


def _versions(bucket: Bucket, key: str) -> int:
    answer = bucket.client.list_object_versions(Bucket=bucket.name, Prefix=key)
    return len(answer.get("Versions", ()))
