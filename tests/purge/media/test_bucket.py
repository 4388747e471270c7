"""The media step on buckets: a real server, and a strict stub that fails as it is told."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from demo.models import ServiceMedia
from lifecycle.db.connection import fetch
from lifecycle.models import AgendaEntry, Event
from purge.checks import check_versions
from purge.media import store_backoff
from purge.media.run import run_media
from purge.media.stores import bucket as buckets
from purge.models import Archive
from purge.passes.options import PassOptions
from tests.clock import pass_time
from tests.purge.media.support import bucket_storage, make_service, orphaned, stored, told, waiting
from tests.s3.strict import CUT, CUT_AFTER, Strict
from tests.s3.swift import Bucket, Server
from tests.support import sampled

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    yield
    store_backoff._backed_off.clear()


@pytest.fixture
def swift(s3_server: Server) -> Iterator[Bucket]:
    with bucket_storage(s3_server.bucket(), location="media") as bucket:
        yield bucket


@pytest.fixture
def stub(strict_s3: Strict) -> Iterator[Bucket]:
    with bucket_storage(strict_s3.bucket(), location="media") as bucket:
        yield bucket


def later(hours: float = 1) -> None:
    """What is on the agenda was orphaned later than all objects were uploaded."""
    pass_time(hours=-hours)
    AgendaEntry.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=1))


def test_on_a_real_server(swift: Bucket):
    names = [stored(f"services/{number}.jpg") for number in range(4)]
    swift.put("audit-archives/a.json")
    ServiceMedia.objects.create(service=make_service(), file=names[0])
    orphaned(*names[:3], "services/none.jpg", "../audit-archives/a.json")
    later()
    outcome = run_media()
    assert (outcome.purged, outcome.kept, outcome.blocked) == (3, 1, 1)
    kept = [f"media/{names[0]}", f"media/{names[3]}"]
    assert swift.keys() == ["audit-archives/a.json", *kept]
    assert told("media_purged").keys() == {*names[1:3], "services/none.jpg"}


def test_uploaded_again_on_a_real_server(swift: Bucket):
    name, other = stored("a.jpg"), stored("b.jpg")
    orphaned(name, other)
    pass_time(hours=1)
    outcome = run_media()
    assert (outcome.kept, outcome.purged) == (2, 0)
    assert {each["reason"] for each in told("kept").values()} == {"uploaded again"}
    assert len(swift.keys()) == 2


def test_just_written_on_a_real_server(swift: Bucket):
    """Its times are whole seconds, rounded up."""
    name = stored("a.jpg")
    orphaned(name)
    assert run_media().kept == 1
    assert told("kept")[name]["reason"] == "just written"
    assert len(waiting()) == 1


def test_scattered_names_are_asked_for_singly(swift: Bucket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("purge.media.stores.bucket.DENSE", 3)
    names = [stored(f"{letter}/{letter}.jpg") for letter in "bdfh"]
    orphaned(*names, "c/none.jpg")
    later()
    monkeypatch.setattr("purge.media.stores.bucket.MediaBucket._page", page_of_two)
    assert run_media().purged == 5
    assert swift.keys() == []


def page_of_two(self, first: str) -> dict:
    return self.client.list_objects_v2(**self.where, Prefix=self.prefix, MaxKeys=2)


@pytest.mark.slow
def test_versions_stay_or_go(s3_server: Server):
    with bucket_storage(s3_server.bucket(versioned=True)) as bucket:
        name = stored("a.jpg")
        bucket.put(name, b"a second version")
        orphaned(name)
        later()
        assert run_media().purged == 1
        assert bucket.keys() == []
        assert len(bucket.versions()) == 3  # two with bytes, and the marker
        with override_settings(LIFECYCLE_MEDIA_DELETE_VERSIONS=True):
            orphaned(name)
            later()
            assert run_media().purged == 1
        assert bucket.versions() == []


def test_a_version_that_comes_between_is_put_back(s3_server: Server, monkeypatch):
    with bucket_storage(s3_server.bucket(versioned=True)) as bucket:
        name = stored("a.jpg")
        orphaned(name)
        later()
        between(monkeypatch, lambda: bucket.put(name, b"new"))
        assert run_media().kept == 1
        assert bucket.get(name) == b"new"
        assert told("kept")[name]["reason"] == "uploaded again"


@pytest.mark.slow
def test_a_row_that_comes_between_has_its_object_back(s3_server: Server, monkeypatch):
    with bucket_storage(s3_server.bucket(versioned=True)) as bucket:
        name, other = stored("a.jpg"), stored("b.jpg")
        orphaned(name, other)
        later()
        service = make_service()
        between(monkeypatch, lambda: ServiceMedia.objects.create(service=service, file=name))
        outcome = run_media()
        assert (outcome.purged, outcome.kept) == (1, 1)
        assert bucket.keys() == [name]


def test_what_cannot_be_put_back_is_told_as_gone(s3_server: Server, monkeypatch):
    """With versions suspended the marker has taken the object's place."""
    bucket = s3_server.bucket(versioned=True)
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Suspended"}
    )
    with bucket_storage(bucket):
        name = stored("a.jpg")
        orphaned(name)
        later()
        service = make_service()
        between(monkeypatch, lambda: ServiceMedia.objects.create(service=service, file=name))
        outcome = run_media()
        assert not default_storage.exists(name)
        assert (outcome.purged, outcome.kept) == (1, 0)


@pytest.mark.parametrize("name", ["audit-archives/a.json", "of-a-policy-that-is-gone/a.json"])
def test_archives_in_the_same_bucket_are_never_reached(s3_server: Server, name: str):
    """The demonstration has a policy that archives there; another was removed from the code."""
    Archive.objects.create(policy="gone", model="gone.Log", prefix="of-a-policy-that-is-gone/")
    with bucket_storage(s3_server.bucket()) as bucket:
        bucket.put(name)
        orphaned(name)
        later()
        assert run_media().blocked == 1
        assert told("blocked")[name]["code"] == "ArchivePrefix"
        assert bucket.keys() == [name]


def test_only_versions_that_were_looked_at_are_erased(s3_server: Server, monkeypatch):
    with (
        bucket_storage(s3_server.bucket(versioned=True)) as bucket,
        override_settings(LIFECYCLE_MEDIA_DELETE_VERSIONS=True),
    ):
        name = stored("a.jpg")
        orphaned(name)
        later()
        between(monkeypatch, lambda: bucket.put(name, b"new"))
        run_media()
        assert bucket.get(name) == b"new"


def between(monkeypatch: pytest.MonkeyPatch, act) -> None:
    """Something happens after the look, before the delete."""
    from purge.media.stores.bucket import MediaBucket as Store

    real = Store.delete

    def delete(self, found):
        act()
        return real(self, found)

    monkeypatch.setattr(Store, "delete", delete)


def test_errors_of_single_keys(stub: Bucket, strict_s3: Strict):
    names = [stored(f"{number}.jpg") for number in range(3)]
    orphaned(*names)
    later()
    strict_s3.key_errors[f"media/{names[1]}"] = "AccessDenied"
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (2, 1)
    assert told("media_purged").keys() == {names[0], names[2]}
    assert told("blocked")[names[1]]["code"] == "AccessDenied"
    assert stub.keys() == [f"media/{names[1]}"]
    strict_s3.key_errors.clear()
    AgendaEntry.objects.update(due_at=datetime.now(UTC))
    assert run_media().purged == 1
    assert stub.keys() == []


@pytest.mark.parametrize("how", sampled([503, 500, CUT, CUT_AFTER]))
@pytest.mark.parametrize("operation", ["LIST", "DELETE_OBJECTS"])
def test_a_store_that_is_away(stub: Bucket, strict_s3: Strict, how, operation: str, monkeypatch):
    """Nothing is told of names that nobody knows about; other stores go on."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries of boto3
    name = stored("a.jpg")
    orphaned(name)
    later()
    strict_s3.fail(operation, how, times=20)
    before = Event.objects.count()
    outcome = run_media()
    assert (outcome.purged, outcome.locked) == (0, 1)
    assert (Event.objects.count(), len(waiting())) == (before, 1)
    asked = strict_s3.count(operation)
    assert run_media().looked == 0  # left alone for a while
    assert strict_s3.count(operation) == asked
    strict_s3.faults.clear()
    store_backoff._backed_off.clear()
    assert run_media().purged == 1
    assert (stub.keys(), list(told("media_purged"))) == ([], [name])


def test_a_store_that_refuses_everything(stub: Bucket, strict_s3: Strict):
    for number in range(3):
        orphaned(stored(f"{number}.jpg"))
    later()
    strict_s3.fail("LIST", 403)
    assert run_media().blocked == 3
    assert {each["code"] for each in told("blocked").values()} == {"AccessDenied"}
    assert min(waiting()) > datetime.now(UTC) + timedelta(minutes=50)
    assert len(stub.keys()) == 3


def test_a_store_that_says_nothing_of_a_key(stub: Bucket, strict_s3: Strict, monkeypatch):
    """A 200 that leaves a key out is no proof that it is gone."""
    from tests.s3.strict_handler import Handler

    name = stored("a.jpg")
    orphaned(name)
    later()
    monkeypatch.setattr(Handler, "_delete_one", lambda self, key, quiet: "")
    assert run_media().blocked == 1
    assert told("blocked")[name]["code"] == "NoAnswer"
    assert stub.keys() == ["media/a.jpg"]


@pytest.mark.slow
def test_no_request_has_more_than_1000_keys(stub: Bucket, strict_s3: Strict):
    names = [f"{number:04}.jpg" for number in range(1200)]
    for name in names:
        stub.put(f"media/{name}")
    for first in range(0, 1200, 400):
        orphaned(*names[first : first + 400])
    later()
    assert run_media().purged == 1200
    assert [keys for name, keys in strict_s3.calls if name == "DELETE_OBJECTS"] == [800, 400]
    assert stub.keys() == []


def test_if_match(stub: Bucket, strict_s3: Strict, monkeypatch):
    with override_settings(LIFECYCLE_MEDIA_IF_MATCH=True):
        name, other = stored("a.jpg"), stored("b.jpg")
        orphaned(name, other)
        later()
        between(monkeypatch, lambda: stub.put(f"media/{name}", b"new"))
        outcome = run_media()
    assert (outcome.purged, outcome.kept) == (1, 1)
    assert stub.get(f"media/{name}") == b"new"


def test_a_slow_store_holds_up_no_row(stub: Bucket, strict_s3: Strict):
    strict_s3.slow["DELETE_OBJECTS"] = 0.3
    orphaned(stored("a.jpg"))
    later()
    began = time.monotonic()
    assert run_media().purged == 1
    assert time.monotonic() - began >= 0.3
    assert default_storage.exists("a.jpg") is False


@pytest.mark.slow
def test_a_check_tells_of_a_bucket_that_keeps_bytes(s3_server: Server):
    with bucket_storage(s3_server.bucket(versioned=True)) as bucket:
        (found,) = check_versions()
        assert (found.id, bucket.name in found.msg) == ("purge.W002", True)
        with override_settings(LIFECYCLE_MEDIA_DELETE_VERSIONS=True):
            assert check_versions() == []
    with bucket_storage(s3_server.bucket()):
        assert check_versions() == []


def test_one_name_that_is_refused_holds_up_no_other(stub: Bucket, strict_s3: Strict, monkeypatch):
    """Asked for singly, one key may be forbidden by a policy of the bucket."""
    names = [stored(f"{number}.jpg") for number in range(3)]
    orphaned(*names)
    later()
    real = buckets.MediaBucket._page
    monkeypatch.setattr(
        buckets.MediaBucket, "_page", lambda self, first: real(self, first) | {"Contents": []}
    )
    strict_s3.fail("HEAD", 403, times=1)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (2, 1)
    assert {each["code"] for each in told("blocked").values()} == {"AccessDenied"}
    assert len(stub.keys()) == 1


def test_a_pass_ends_while_the_store_of_a_renamed_model_is_away(
    stub: Bucket, strict_s3: Strict, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    orphaned(stored("a.jpg"), model="demo.serviceimage", wait=False)
    text = (
        "SELECT lifecycle.write_v1('policy_changed', 's', 'demo.servicemedia', NULL, 0, NULL,"
        ' NULL, NULL, \'{"formerly": "demo.serviceimage"}\', NULL)'
    )
    fetch("default", text)
    later()
    strict_s3.fail("LIST", 503, times=200)
    assert run_media(options=PassOptions(deadline=time.monotonic() + 20)).locked == 1


@pytest.mark.parametrize("odd", ["b\x01.jpg", "c\\b.jpg"])
def test_a_name_that_means_no_key_is_told_and_holds_up_no_other(stub: Bucket, odd: str):
    """No request can hold the one; the storage reads the other as `c/b.jpg`, which is there."""
    name, below = stored("a.jpg"), stored("c/b.jpg")
    orphaned(name, odd)
    later()
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (1, 1)
    assert told("blocked")[odd]["code"] == "BadName"
    assert default_storage.exists(below)
