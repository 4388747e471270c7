"""Rows of somebody leave a table: no reader finds them, and no file of before is left."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from purge.erasure.receipt import receipts
from purge.models import Archive, ArchiveErasure, IcebergTable, Rewrite
from purge.rewriting.work import erase_in_archives
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import at, own, run
from tests.purge.rewriting.lives import archive, archived, erase, said, verified
from tests.s3.swift import Server

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = {"formats": None, "table": "iceberg"}


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_one_person_leaves_all_archives_of_a_table(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, **TABLE) as (her, other):
        archive(her, other)
        before = {path.name for path in tmp_path.rglob("*") if path.is_file()}
        erase(her)
        erase_in_archives()
        assert duck.read(at(tmp_path)) == [str(other.pk)] * 6
        assert [each["step"] for each in said()].count("gone") == 2
        left = {path.name for path in tmp_path.rglob("*") if path.is_file()} & before
        assert left == {"version-hint.text"}
        assert own().version == 4
        assert len(list((at(tmp_path) / "metadata").glob("*.metadata.json"))) == 1
        (receipt,) = receipts("r1")
        assert "6 rows erased, archives rewritten: 2, old files gone" in receipt.as_text()
        assert verified() == []
        archive(her, other, 1)
        assert verified() == []
        assert own().version == 5
    assert not Rewrite.objects.exists()


@pytest.mark.slow
def test_where_no_row_is_left_the_archive_goes(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, rows=1, **TABLE) as (her, _other):
        erase(her)
        erase_in_archives()
        assert duck.read(at(tmp_path)) == []
        assert not list(tmp_path.rglob("*.parquet"))
        assert verified() == []


@pytest.mark.slow
def test_a_hold_stops_it_and_nothing_of_the_new_version_stays(
    tmp_path: Path, settings: Any
) -> None:
    from lifecycle import hold

    with archived(tmp_path, settings, **TABLE) as (her, _other):
        erase(her)
        before = everything(tmp_path)
        hold("tokens", reason="dispute", reference="h1")
        erase_in_archives()
        assert everything(tmp_path) == before
        assert own().version == 1
        assert verified() == []


@pytest.mark.slow
def test_archives_of_columns_and_parts_of_before_are_rewritten_as_they_were(
    tmp_path: Path, settings: Any
) -> None:
    """The key was narrower, and the months were those of another column."""
    run("ALTER TABLE zoo_token ADD COLUMN more date DEFAULT '2024-05-06'")
    try:
        with pytest.MonkeyPatch.context() as patch:
            from purge.archive.table import Table

            patch.setattr(Table, "time", "more")
            run("ALTER TABLE zoo_token ADD COLUMN size integer DEFAULT 5")
            with archived(tmp_path, settings, **TABLE) as (her, other):
                patch.undo()
                run("ALTER TABLE zoo_token ALTER size TYPE bigint, DROP COLUMN more")
                archive(her, other)
                erase(her)
                erase_in_archives()
                found = duck.read(at(tmp_path), "DISTINCT label, size, more::text")
                assert set(found) == {(str(other.pk), 5, None), (str(other.pk), 5, "2024-05-06")}
                assert duck.read(at(tmp_path), "count(*)") == [6]
                assert verified() == []
    finally:
        run("ALTER TABLE zoo_token DROP COLUMN IF EXISTS more, DROP COLUMN IF EXISTS size")


@pytest.mark.slow
def test_in_a_bucket_of_openstack_swift(s3_server: Server, settings: Any) -> None:
    bucket = s3_server.bucket()
    for name, value in bucket.settings.items():
        setattr(settings, name, value)
    with archived(None, settings, **TABLE) as (her, other):
        erase(her)
        erase_in_archives()
        table = IcebergTable.objects.get()
        assert duck.read(table.location, bucket=bucket.settings) == [str(other.pk)] * 3
        assert verified() == []


@pytest.mark.slow
def test_a_restored_catalogue_finds_the_version_without_the_rows(
    tmp_path: Path, settings: Any
) -> None:
    """What was published came back into the ledger; the catalogue is that of the backup."""
    with archived(tmp_path, settings, **TABLE) as (her, other):
        before = dict(IcebergTable.objects.values().get())
        erase(her)
        erase_in_archives()
        IcebergTable.objects.all().delete()
        IcebergTable.objects.create(**before)
        archive(her, other, 1)
        assert Archive.objects.count() == 2
        assert len(duck.read(at(tmp_path))) == 4
        assert verified() == []


@pytest.mark.slow
def test_the_other_archives_of_a_table_lose_rows_where_one_is_lost(
    tmp_path: Path, settings: Any
) -> None:
    """Its files are shown on, and missing, which `archive verify` says."""
    with archived(tmp_path, settings, **TABLE) as (her, other):
        first = Archive.objects.get().name
        archive(her, other)
        gone = [path for path in tmp_path.rglob(f"{first}.*") if path.is_file()]
        for path in gone:
            path.unlink()
        reason = ("--reason", "the volume is lost", "--actor", "jo", "--yes")
        call_command("archive", "lost", first, *reason)
        erase(her)
        erase_in_archives()
        (done,) = said("done")
        assert (done["lost"], done["rows"]) == ([first], 3)
        assert first in str(verified())
        for path in gone:
            path.write_bytes(b"of a backup")
        call_command("archive", "lost", first, "--found", *reason)
        assert ArchiveErasure.objects.count() == 1
