"""What could lose rows, or leave them where nobody looks: each was possible once."""

import gzip
import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lifecycle import hold, release
from lifecycle.exceptions import LifecycleError
from purge.archive import storage as storing
from purge.archive.catalog import catalog
from purge.archive.destinations import Unreachable, destination
from purge.archive.verify import verify
from purge.archiving import lock
from purge.models import Archive, ArchivePart
from purge.runner import run_due
from tests import clock
from tests.purge.archive.engine import archiving, expected, tokens
from tests.purge.archive.test_faults import into
from tests.s3.strict import Strict
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def later(**by: int) -> None:
    """Time passes for the engine; the rows stay as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))
        clock.pass_time(**by)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_worker_whose_lock_was_lost_spoils_nothing(
    strict_s3: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, compare = tokens(3), storing.compare

    def others_came(where: Any, written: Any, *seen: Any) -> None:
        """This one's session is cut; another archives the rows, of which one was changed."""
        monkeypatch.setattr(storing, "compare", compare)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " JOIN pg_database ON pg_database.oid = database"
                " WHERE relation = 'lifecycle_lock'::regclass AND pid <> pg_backend_pid()"
                " AND datname = current_database()"  # other databases have their own tests
            )
        Token.objects.filter(pk=rows[0].pk).update(label="changed")
        destination().remove(written[0].name)  # as if it had not been put yet
        other = threading.Thread(target=work)
        other.start()
        other.join(60)
        compare(where, written)

    def work() -> None:
        run_due()
        connection.close()

    with into(strict_s3.bucket()), archiving("tokens", formats=("jsonl",)):
        monkeypatch.setattr(storing, "compare", others_came)
        with suppress(LifecycleError):
            run_due()
        assert not Token.objects.exists()
        told = catalog(destination(), ["old/"])
        assert [verify(destination(), each) for each in told.archives] == [[]]
        (manifest,) = told.archives
        text = gzip.decompress(b"".join(destination().read(manifest.files[0].name)))
        assert sorted(json.loads(line)["label"] for line in text.splitlines()) == [
            "changed",
            "token 1",
            "token 2",
        ]


def test_the_lock_of_an_archive_is_taken_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """One long transaction would keep VACUUM from all that was deleted since."""

    def transactions() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT backend_xid::text FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            return [number for (number,) in cursor.fetchall()]

    with (
        lock.archive_lock("tokens", "default") as check,
        lock.archive_lock("tokens", "default") as two,
    ):
        assert check
        assert two is None
        first = transactions()
        check()
        assert transactions() == first
        monkeypatch.setattr(lock, "FRESH", 0.0)
        check()
        assert len(transactions()) == 1
        assert transactions() != first
        with lock.archive_lock("tokens", "default") as other:
            assert other is None


def test_who_was_quicker_has_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "FRESH", 0.0)
    with lock.archive_lock("tokens", "default") as check:
        assert check
        monkeypatch.setattr(lock, "statement", lambda *_: "SELECT false WHERE %(name)s IS NOT NULL")
        with pytest.raises(lock.LockLost):
            check()


def test_into_a_table_of_the_site_by_another_name() -> None:
    tokens(1)
    with archiving("tokens"):
        run_due()
        name = Archive.objects.get().name
    for name_of_it in ("public.zoo_token", "zoo_token"):
        with pytest.raises(CommandError, match="is a table of the site"):
            call_command("archive", "load", name, "--prefix", "old/", "--into", name_of_it)
    assert not Token.objects.exists()


def test_what_was_put_of_rows_that_are_gone_since_is_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tokens(2)

    def unreachable(*given: Any) -> None:
        raise Unreachable("it does not answer")

    with archiving("tokens"):
        with monkeypatch.context() as patch:
            patch.setattr(storing, "compare", unreachable)
            with pytest.raises(LifecycleError):
                run_due()
        assert files(folder)
        rows[0].delete()
        (folder / "old").joinpath(files(folder)[-1]).unlink()
        later(hours=2)
        run_due()
        assert expected(folder) == ["token 1"]
        assert catalog(destination(), ["old/"]).strays == []


def test_another_has_a_manifest_of_that_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens(2)
    put = storing.put_text

    def taken(where: Any, archive: Archive, name: str, text: str) -> None:
        (folder / name).write_text("theirs")
        monkeypatch.setattr(storing, "put_text", put)
        put(where, archive, name, text)

    monkeypatch.setattr(storing, "put_text", taken)
    with archiving("tokens"):
        with pytest.raises(LifecycleError):
            run_due()
        later(hours=2)
        run_due()
    assert not Token.objects.exists()
    assert [path.read_text() for path in folder.rglob("*.json")].count("theirs") == 1
    assert expected(folder) == ["token 0", "token 1"]


def test_an_archive_that_is_removed_before_its_last_row_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tokens(2)
    compare = storing.compare

    def then_hold(*given: Any) -> None:
        monkeypatch.setattr(storing, "compare", compare)
        compare(*given)
        hold(rows[1], reason="court")

    with archiving("tokens"):
        monkeypatch.setattr(storing, "compare", then_hold)
        run_due()
        assert ArchivePart.objects.get().keys == [str(rows[1].pk)]  # of no row that is gone
        for path in folder.rglob("old/*"):
            path.unlink()
        release(rows[1])
        later(hours=2)
        run_due()
        assert not Token.objects.exists()
        assert expected(folder) == ["token 1"]
