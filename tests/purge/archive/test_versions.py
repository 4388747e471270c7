"""Is the row that is to be deleted the row that was archived? By its version, else by its hash."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from lifecycle import hold, release
from purge.archive import storage as storing
from purge.archive.table import Table
from purge.batch import archived
from purge.models import ArchivePart
from purge.runner import run_due
from tests import clock
from tests.purge.archive.engine import archiving, expected, manifests, tokens
from tests.support import session, wait_until
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Any]) -> None:
    """A pass in which something happens between the writing and the deletion."""
    compare = storing.compare
    once = iter([then])

    def with_it(*given: Any) -> None:
        compare(*given)
        for action in once:
            action()

    with monkeypatch.context() as patch:
        patch.setattr(storing, "compare", with_it)
        run_due()


def execute(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def parts() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(versions), cardinality(hashes) FROM purge_archive_part")
        return cursor.fetchall()


def a_moment_later() -> None:
    """What is in no archive is looked at again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "PREFIXES", ("lifecycle_", "purge_"))
        clock.pass_time(minutes=1)
    run_due()


def all_older() -> bool:
    """Whether each transaction that was under way when the rows were written is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(age(xmin)) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
            " FROM zoo_token"
        )
        return bool(cursor.fetchone()[0])


def old_tokens(count: int) -> list[Token]:
    """Rows that no transaction under way is older than; other tests have some on this server."""
    rows = tokens(count)
    wait_until(all_older)
    return rows


def test_by_its_version_no_row_is_hashed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_tokens(3)
    found: list[Any] = []
    with archiving("tokens"):
        run(monkeypatch, lambda: found.extend(parts()))
        assert not Token.objects.exists()
    assert found == [(3, None)]
    assert len(manifests(folder)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE purge_archive_part SET since = since - 2147483648",  # as if so many had been since
        "UPDATE purge_archive_part SET epoch = repeat('0', 64)",  # as if restored, or promoted
        "UPDATE zoo_token SET label = label",  # another version of each row
        "ALTER TABLE zoo_token ADD COLUMN extra text DEFAULT 'that no archive has'",
    ],
)
def test_versions_that_may_not_be_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The rows stay, and go with a further archive."""
    old_tokens(3)
    try:
        with archiving("tokens"):
            run(monkeypatch, lambda: execute(change))
            assert Token.objects.count() == 3
            a_moment_later()
            assert not Token.objects.exists()
    finally:
        execute("ALTER TABLE zoo_token DROP COLUMN IF EXISTS extra")
    assert len(manifests(folder)) == 2


def test_a_change_between_is_seen_whatever_the_number_of_its_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that comes again after all of them: believed no more."""
    rows = old_tokens(2)

    def change() -> None:
        Token.objects.filter(pk=rows[0].pk).update(label="changed")
        execute(
            "UPDATE purge_archive_part SET since = since - 4294967296,"
            " versions = ARRAY(SELECT xmin FROM zoo_token ORDER BY id)"
        )

    with archiving("tokens"):
        run(monkeypatch, change)
        assert Token.objects.count() == 2
        a_moment_later()
    assert expected(folder) == ["changed", "token 0", "token 1", "token 1"]


def test_rows_newer_than_a_transaction_under_way_are_hashed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session() as other:
        other.execute("SELECT pg_current_xact_id()")
        tokens(3)
        found: list[Any] = []
        with archiving("tokens"):
            run(monkeypatch, lambda: found.extend(parts()))
        assert found == [(3, 3)]
        other.rollback()
    assert not Token.objects.exists()
    assert len(manifests(folder)) == 1


def test_where_versions_tell_nothing_all_rows_are_hashed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another kind of table may give any number."""
    monkeypatch.setattr(Table, "knows_versions", False)
    rows = tokens(3)
    with archiving("tokens"):
        run(monkeypatch, lambda: Token.objects.filter(pk=rows[1].pk).update(label="changed"))
        assert Token.objects.get().label == "changed"
        a_moment_later()
    assert expected(folder) == ["changed", "token 0", "token 1", "token 2"]


def test_a_row_that_is_left_is_known_by_its_hash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held for years, through restarts and upgrades, it is in no second archive."""
    rows = tokens(2)
    with archiving("tokens"):
        run(monkeypatch, lambda: hold(rows[0], reason="a dispute"))
        assert parts() == [(None, 1)]
        assert ArchivePart.objects.get().keys == [str(rows[0].pk)]
        execute("UPDATE purge_archive_part SET epoch = ''")
        execute("UPDATE zoo_token SET label = label")
        release(rows[0])
        run_due()
        assert not Token.objects.exists()
    assert len(manifests(folder)) == 1


@pytest.mark.parametrize(
    ("form", "compression"),
    [("json", "gzip"), ("jsonl", "gzip"), ("jsonl", "zstd"), ("parquet", "gzip")],
)
def test_rows_of_each_format_are_the_same(folder: Path, form: str, compression: str) -> None:
    """Written by the database, and beside it from text."""
    from django.core.management import call_command

    tokens(30)
    before = list(Token.objects.order_by("pk").values_list())
    packed = {} if compression == "gzip" else {"compression": compression}
    with archiving("tokens", formats=(form, "txt"), **packed):
        run_due()
        assert bool(list(folder.rglob("*.jsonl.zst"))) == (compression == "zstd")
        call_command("archive", "verify", all=True)
        (told,) = manifests(folder)
        call_command("archive", "load", told["name"], actor="anna")
        assert list(Token.objects.order_by("pk").values_list()) == before


@pytest.mark.parametrize("rows", [2, 3, 100])
def test_a_batch_that_is_one_run_of_a_part_is_compared_as_a_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """However many rows a batch takes; no row is joined with what was written of it."""
    old_tokens(6)
    monkeypatch.setattr(archived, "_covering", None)  # not to be called
    with archiving("tokens") as policy:
        monkeypatch.setattr(policy, "batch_rows", rows)
        run_due()
        assert not Token.objects.exists()
    assert len(manifests(folder)) == 1


def test_of_a_batch_with_one_changed_row_the_others_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = old_tokens(6)
    with archiving("tokens"):
        run(monkeypatch, lambda: Token.objects.filter(pk=rows[2].pk).update(label="changed"))
        assert Token.objects.get().label == "changed"
    assert len(manifests(folder)) == 1
