"""Archives in a bucket: of a real server that keeps versions, and of one that fails as told."""

from io import BytesIO
from typing import Any

import pytest
from django.test import override_settings

from purge.archive import storage, versions
from purge.archive.destinations import ArchiveBucket, destination
from purge.archive.refusals import Unreachable
from purge.models import ArchiveErasure
from purge.rewriting.work import erase_in_archives
from purge.runner import run_due
from tests.clock import pass_time
from tests.purge.archive.engine import archiving, tokens
from tests.purge.rewriting.lives import archived, erase, steps, verified
from tests.s3.strict import Strict
from tests.s3.swift import Bucket, Server
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def erased(bucket: Bucket, settings: Any) -> list[str]:
    """Archive, erase one person; the keys of before."""
    with archived(None, settings) as (her, _):
        before = bucket.keys("old/")
        erase(her)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert verified() == []
        names = bucket.keys("old/")
        assert len(names) == len(before) == 3
        assert not set(names) & set(before)
        text = b"".join(bucket.get(each) for each in names if each.endswith(".txt"))
        assert text.count(b"2026-01-01") == 3
    return before


@pytest.mark.slow
@pytest.mark.parametrize("versioned", [True, False])
def test_nothing_is_left_of_the_old_objects(
    s3_server: Server, settings: Any, versioned: bool
) -> None:
    bucket = s3_server.bucket(versioned=versioned)
    with override_settings(**bucket.settings):
        before = erased(bucket, settings)
        kept = [key for key, _ in bucket.versions("old/")] if versioned else bucket.keys("old/")
        assert not set(kept) & set(before)


@pytest.mark.slow
@pytest.mark.parametrize("versioned", [True, False])
def test_what_a_bucket_keeps_of_an_archive_is_not_lost(
    s3_server: Server, settings: Any, versioned: bool
) -> None:
    """A deletion hides an object of a bucket that keeps versions; the rows are in it all the same,
    also of a month's file, whose name nobody can tell."""
    bucket = s3_server.bucket(versioned=versioned)
    with override_settings(**bucket.settings):
        where = destination()
        for name in ("old/one.jsonl.gz", "old/one.2026-01.parquet", "old/one_2.txt"):
            where.put(name, BytesIO(b"rows"), {})
        client = where.store.client()  # type: ignore[attr-defined]
        for name in ("old/one.jsonl.gz", "old/one.2026-01.parquet"):
            assert where.kept("old/one.")
            client.delete_object(Bucket=where.store.bucket, Key=name)  # type: ignore[attr-defined]
        assert where.kept("old/one.") is versioned
        for name in ("old/one.jsonl.gz", "old/one.2026-01.parquet"):
            where.erase(name)
        assert not where.kept("old/one.")
        assert where.kept("old/one_2.")


@pytest.mark.slow
@pytest.mark.parametrize("has_right", [True, False])
def test_nothing_is_left_of_an_archive_that_never_came_to_be(
    s3_server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch, has_right: bool
) -> None:
    """Its worker was killed, and its rows were gone before the next try: no ledger names it."""
    bucket = s3_server.bucket(versioned=True)
    with (
        override_settings(**bucket.settings),
        archiving("tokens", erased_with={"label": "zoo.Person"}),
    ):
        tokens(2)
        with monkeypatch.context() as patch:
            patch.setattr(storage, "put", interrupted)
            with pytest.raises(KeyboardInterrupt):
                run_due()
        assert len(bucket.keys("old/")) == 1
        Token.objects.all().delete()
        if not has_right:
            monkeypatch.setattr(versions, "erase", refused)
        pass_time(hours=2)
        run_due()
        assert bucket.keys("old/") == []
        assert bool(bucket.versions("old/")) is not has_right


def interrupted(*args: Any, put: Any = storage.put) -> None:
    put(*args)
    raise KeyboardInterrupt


def refused(*args: Any) -> None:
    raise Unreachable("AccessDenied")


@pytest.mark.slow
def test_a_store_that_knows_no_versions(strict_s3: Strict, settings: Any) -> None:
    """It answers as if there were none: the objects themselves are removed all the same."""
    bucket = strict_s3.bucket()
    with override_settings(**bucket.settings):
        erased(bucket, settings)


@pytest.mark.slow
def test_older_versions_and_marks_go_too(s3_server: Server) -> None:
    bucket = s3_server.bucket(versioned=True)
    with override_settings(**bucket.settings):
        where = destination()
        assert isinstance(where, ArchiveBucket)
        for body in (b"1", b"2"):
            bucket.put("old/a.json", body)
        bucket.put("old/a.json.kept")
        bucket.client.delete_object(Bucket=bucket.name, Key="old/a.json")
        assert where.keeps("old/a.json")
        where.erase("old/a.json")
        assert not where.keeps("old/a.json")
        assert [key for key, _ in bucket.versions()] == ["old/a.json.kept"]
        where.erase("old/a.json")


@pytest.mark.slow
def test_a_right_that_is_missing(strict_s3: Strict, settings: Any) -> None:
    bucket = strict_s3.bucket()
    with override_settings(**bucket.settings), archived(None, settings) as (her, _):
        (manifest,) = (each for each in bucket.keys("old/") if "manifest" in each)
        strict_s3.key_errors[manifest] = "AccessDenied"
        erase(her)
        erase_in_archives()
        assert steps() == ["asked", "rewritten"]
        assert "answers AccessDenied" in ArchiveErasure.objects.get().waits_for
        assert len(bucket.keys("old/")) == 6
        strict_s3.key_errors.clear()
        pass_time(hours=2)
        erase_in_archives()
        assert (steps()[-1], len(bucket.keys("old/"))) == ("done", 3)


class Locked:
    """A client of a bucket whose object is locked."""

    def __init__(self, client: Any, held: dict[str, Any]) -> None:
        self.client, self.held = client, held

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def delete_object(self, **options: Any) -> Any:
        """Amazon's answer."""
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteObject")

    def head_object(self, **options: Any) -> Any:
        """What is said of a version that is locked."""
        return self.held


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"ObjectLockLegalHoldStatus": "ON"}, "is locked by a legal hold of the bucket"),
        ({}, "answers AccessDenied"),
    ],
)
def test_what_is_locked_is_said(
    s3_server: Server, monkeypatch: pytest.MonkeyPatch, held: dict[str, Any], why: str
) -> None:
    bucket = s3_server.bucket(versioned=True)
    bucket.put("old/a.json")
    with override_settings(**bucket.settings):
        where = destination()
        client = Locked(bucket.client, held)
        monkeypatch.setattr("purge.s3.Store.client", lambda store: client)
        with pytest.raises(Unreachable, match=why):
            where.erase("old/a.json")
        assert versions.keeps(where.store, "old/a.json")  # type: ignore[attr-defined]
