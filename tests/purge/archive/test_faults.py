"""Whatever fails, no row is gone that is not in a verified archive; the next run ends the rest."""

import gc
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from django.db import connections
from django.test import override_settings

from lifecycle.exceptions import LifecycleError
from purge.archive import storage as storing
from purge.archive.catalog import catalog
from purge.archive.destinations import Destination, destination
from purge.archive.formats import FORMATS, Column
from purge.archive.verify import verify
from purge.archiving.write import counted
from purge.models import Archive
from purge.runner import run_due
from tests import clock
from tests.infra.servers import ROOT
from tests.purge.archive.engine import archiving, expected, kept_promise, manifests, tokens
from tests.purge.worker.consumer import address
from tests.s3.strict import CUT, CUT_AFTER, FLIP, LOSE, TRUNCATE, Strict
from tests.s3.swift import Bucket, Server
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 7


@contextmanager
def into(bucket: Bucket) -> Iterator[Bucket]:
    with override_settings(**bucket.server.settings(bucket.name)):
        yield bucket


def fails() -> None:
    """A run that does not archive: every row is still there."""
    with pytest.raises(LifecycleError):
        run_due()
    assert Token.objects.count() == ROWS
    kept_promise()


def recovers() -> None:
    """The next run, when it is time, ends everything; what is stored is whole, nothing else is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))  # the rows stay as they are
        clock.pass_time(hours=2)
    run_due()
    assert Token.objects.count() == 0
    told = catalog(where := destination(), ["old/"])
    assert sum(each.rows for each in told.archives) == ROWS
    assert [verify(where, each) for each in told.archives] == [[]] * len(told.archives)
    assert told.strays == []


@pytest.mark.slow
def test_on_a_real_server(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(ROWS)
    with into(s3_server.bucket()) as bucket, archiving("tokens"):
        assert run_due()["tokens"].purged == ROWS
        told = catalog(destination(), ["old/"])
        assert verify(destination(), told.archives[0]) == []
        name = told.archives[0].files[0].name
        head = bucket.client.head_object(Bucket=bucket.name, Key=name)
        assert head["Metadata"]["sha256"] == told.archives[0].files[0].sha256


@pytest.mark.slow
def test_in_parts_on_a_real_server(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purge.archive.bucket.LARGE", 2**20)
    monkeypatch.setattr("purge.archive.bucket.LARGE_PART", 5 * 2**20)
    body = os.urandom(6 * 2**20)
    with into(s3_server.bucket()):
        where = destination()
        where.put("old/large", io.BytesIO(body), {"archive": "me"})
        assert b"".join(where.read("old/large")) == body
        assert where.metadata("old/large")["archive"] == "me"
        where.remove("old/large")
        assert list(where.names("old/")) == []


FAULTS = [
    pytest.param([("GET", FLIP)], id="a byte is another when it is read back"),
    pytest.param([("GET", TRUNCATE)], id="half of it is read back", marks=pytest.mark.slow),
    pytest.param([("PUT", LOSE)], id="lost after it was put"),
    pytest.param([("PUT", CUT)] * 3, id="the connection is cut mid-upload", marks=pytest.mark.slow),
    pytest.param([("PUT", 503)] * 3, id="the store is busy", marks=pytest.mark.slow),
    pytest.param([("PUT", 403)], id="the store refuses"),
    pytest.param([("GET", 403)], id="the store refuses to be read"),
]


@pytest.mark.slow
@pytest.mark.parametrize("faults", FAULTS)
def test_a_store_that_fails(strict_s3: Strict, faults: list[tuple[str, Any]]) -> None:
    tokens(ROWS)
    with into(strict_s3.bucket()), archiving("tokens"):
        for operation, how in faults:
            strict_s3.fail(operation, how)
        fails()
        # It was the rows' own files that were found wrong: no manifest vouches for them.
        assert not [
            name for asked, name in strict_s3.calls if "manifest" in name and asked == "PUT"
        ]
        recovers()


@pytest.mark.slow
def test_put_and_nobody_was_told(strict_s3: Strict) -> None:
    tokens(ROWS)
    with into(strict_s3.bucket()), archiving("tokens"):
        strict_s3.fail("PUT", CUT_AFTER)
        run_due()
        recovers()
    assert len({key for key in strict_s3.calls if key[0] == "PUT"}) == 3  # no other name was tried


@pytest.mark.slow
def test_uploads_in_parts_that_fail_are_aborted(
    strict_s3: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purge.archive.bucket.LARGE", 10)
    tokens(ROWS)
    with into(strict_s3.bucket()), archiving("tokens"):
        strict_s3.fail("PUT_PART", 403)
        fails()
        assert strict_s3.uploads == {}
        assert strict_s3.count("ABORT_MULTIPART") == 1
        recovers()


def test_an_object_of_somebody_else_is_left_alone(strict_s3: Strict) -> None:
    tokens(ROWS)
    with into(strict_s3.bucket()) as bucket, archiving("tokens", formats=("jsonl",)):
        first = storing.put

        def taken(where: Destination, archive: Archive, file: Any, content: Any) -> None:
            bucket.put(file.name, b"theirs")
            storing.put = first
            first(where, archive, file, content)

        storing.put = taken
        try:
            run_due()
        finally:
            storing.put = first
        assert [bucket.get(key) for key in bucket.keys()].count(b"theirs") == 1  # noqa: SIM118
    assert Token.objects.count() == 0
    assert Archive.objects.get().name.endswith("_2")


@pytest.mark.slow
def test_a_clock_that_is_a_day_off(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.auth

    tokens(ROWS)
    right = botocore.auth.get_current_datetime
    with into(s3_server.bucket()), archiving("tokens"):
        with monkeypatch.context() as patch:
            wrong = lambda *given, **named: right(*given, **named) + timedelta(days=1)  # noqa: E731
            patch.setattr(botocore.auth, "get_current_datetime", wrong)
            fails()
        recovers()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path / "archives")
    return tmp_path / "archives"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch, compression: str) -> None:
    tokens(ROWS)
    with archiving("tokens", formats=("jsonl", "txt", "parquet"), compression=compression):
        with monkeypatch.context() as patch:
            full = lambda: open("/dev/full", "w+b", buffering=0)  # noqa: E731, SIM115
            patch.setattr("purge.archiving.write._unnamed", full)
            with pytest.raises(LifecycleError, match="No space left"):
                run_due()
        assert Token.objects.count() == ROWS
        assert "No space left" in Archive.objects.get().error
        recovers()


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    tokens(ROWS)
    folder.write_text("a file")
    with archiving("tokens"):
        fails()
        folder.unlink()
        recovers()


@pytest.mark.parametrize("name", FORMATS)
def test_a_writer_that_is_given_up_writes_no_more(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: unheard.append(str(told)))
    with suppress(OSError), counted() as file:
        circle: list[Any] = [FORMATS[name].writer([Column("id", "bigint")], cast(BinaryIO, file))]
        circle[0].write([("1",)])
        circle.append(circle)  # as the traceback of an error: it goes when garbage is collected
        raise OSError
    del circle
    gc.collect()
    assert unheard == []


@pytest.mark.slow
@pytest.mark.parametrize("point", ["chosen", "between parts", "put", "read back", "deleting"])
def test_a_worker_that_is_killed(folder: Path, point: str) -> None:
    tokens(ROWS)
    environment = {"DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment |= {"ARCHIVE_DIR": str(folder)}
    killed = subprocess.run(
        [sys.executable, "-m", "tests.purge.archive.killed", point],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert Token.objects.count() == ROWS
    with archiving("tokens"):
        recovers()
    assert len(manifests(folder)) == 1


def test_two_workers_make_one_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(ROWS)
    reading, go = threading.Event(), threading.Event()
    compare = storing.compare

    def slowly(*given: Any) -> None:
        reading.set()
        assert go.wait(20)
        compare(*given)

    def work() -> None:
        with suppress(LifecycleError):
            run_due()
        connections.close_all()

    with archiving("tokens"):
        monkeypatch.setattr(storing, "compare", slowly)
        first = threading.Thread(target=work)
        first.start()
        assert reading.wait(20)
        run_due()
        assert Token.objects.count() == ROWS
        go.set()
        first.join(20)
        assert Token.objects.count() == 0
    assert len(manifests(folder)) == 1
    assert len(expected(folder)) == ROWS
