"""The catalogue is as old as a restored backup; the bucket is not."""

from pathlib import Path
from typing import Any

import pytest

from lifecycle.models import Event
from purge.archive.records import records
from purge.iceberg import staging
from purge.models import Archive, IcebergTable
from purge.runner import run_due
from tests.purge.archive.engine import tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, at, own, verified

pytestmark = pytest.mark.django_db(transaction=True)


def archived(count: int) -> None:
    tokens(count)
    run_due()


def backup() -> dict[str, Any]:
    return dict(IcebergTable.objects.values().get())


def restore(before: dict[str, Any] | None) -> None:
    """The catalogue and the archives as the backup has them; the ledger is as it was recovered."""
    Archive.objects.all().delete()
    IcebergTable.objects.all().delete()
    if before:
        IcebergTable.objects.create(**before)


def is_whole(folder: Path, rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows so many rows, and nothing is wrong with it."""
    assert duck.read(at(folder), "count(*)") == [rows]
    assert verified(capsys) == ""


@pytest.mark.slow
def test_what_the_recovered_ledger_knows_is_the_tables_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with as_table():
        archived(3)
        before = backup()
        archived(2)
        restore(before)
        archived(1)
        assert own().version == 3
        is_whole(folder, 6, capsys)


def test_also_where_the_backup_is_from_before_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with as_table():
        archived(3)
        restore(None)
        archived(1)
        assert (own().version, own().name) == (2, "tokens")
        is_whole(folder, 4, capsys)


@pytest.mark.slow
def test_what_the_ledger_does_not_know_is_not_shown_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are back in the database, by the backup, and are archived anew."""
    with as_table():
        archived(3)
        before = backup()
        archived(2)
        restore(before)
        known = {each.detail["archive"] for each in Event.objects.filter(kind="archived")}
        told = records(["default"], sorted(known)[:1])
        assert len(told) == 1
        monkeypatch.setattr("purge.iceberg.rejoin.records", lambda *args: told)
        archived(2)
        assert own().version == 3
        assert duck.read(at(folder), "count(*)") == [5]


@pytest.mark.slow
def test_a_later_version_that_lacks_rows_is_not_believed(folder: Path) -> None:
    """Somebody has made it of what the ledger knows, and left one archive out."""
    from purge.archive.destinations import destination
    from tests.purge.iceberg.test_verify import drop_first

    with as_table():
        archived(3)
        archived(2)
        table, objects = staging.opened(own(), destination())
        drop_first(table)
        for name, body in staging.staged(own(), None, table, objects, 3).objects.items():
            (folder / name).write_bytes(body)
        archived(1)
    assert own().version == 4
    assert duck.read(at(folder), "count(*)") == [6]


@pytest.mark.slow
def test_a_backup_that_is_older_than_all_metadata_that_are_left(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MOST", 2)
    monkeypatch.setitem(staging.PROPERTIES, "write.metadata.previous-versions-max", "1")
    with as_table():
        archived(3)
        before = backup()
        for _ in range(3):
            archived(1)
        assert not (at(folder) / "metadata" / "v1.metadata.json").exists()
        restore(before)
        archived(1)
        assert own().version == 5
        is_whole(folder, 7, capsys)


@pytest.mark.slow
def test_a_backup_that_was_made_in_the_middle_of_a_commit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It knows what was about to be put; the table has it since, and more."""
    from tests.purge.iceberg.test_faults import Killed, broken

    with as_table():
        archived(3)
        before = backup()
        tokens(2)
        with broken("advance", Killed(), False), pytest.raises(Killed):
            run_due()
        half = dict(Archive.objects.order_by("-pk").values()[0])
        run_due()
        archived(1)
        restore(before)
        Archive.objects.create(**half)
        archived(1)
        is_whole(folder, 7, capsys)
