"""A model that changes: what was archived is read as it was, by the names and types of now."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from purge.models import Archive
from purge.runner import run_due
from tests.purge.archive.engine import tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, at, own, run, verified

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(folder: Path) -> Iterator[Path]:
    run("ALTER TABLE zoo_token ADD COLUMN size integer, ADD COLUMN note smallint")
    yield folder
    run(
        "ALTER TABLE zoo_token DROP COLUMN IF EXISTS size, DROP COLUMN IF EXISTS note,"
        " DROP COLUMN IF EXISTS more, DROP COLUMN IF EXISTS renamed"
    )


def archived(folder: Path, size: str) -> None:
    tokens(1)
    run(f"UPDATE zoo_token SET size = {size}")
    run_due()


def test_columns_that_come_go_and_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with as_table():
        archived(folder, "1")
        run("ALTER TABLE zoo_token ADD COLUMN more numeric(6, 2) DEFAULT 2.5, DROP COLUMN note")
        archived(folder, "2")
        run("ALTER TABLE zoo_token ALTER COLUMN size TYPE bigint")
        archived(folder, "3000000000")
        found = duck.read(at(folder), "size, note, more::text")
        assert found == [(1, None, None), (2, None, "2.50"), (3_000_000_000, None, "2.50")]
        run("ALTER TABLE zoo_token ALTER size TYPE text, ALTER more TYPE numeric(8, 2)")
        archived(folder, "'large'")
        found = duck.read(at(folder), "size, size_was_bigint, more::text")
        assert found == [
            ("large", None, "2.50"),
            (None, 1, None),
            (None, 2, "2.50"),
            (None, 3_000_000_000, "2.50"),
        ]
        assert own().version == 4
        assert verified(capsys) == ""
        run("ALTER TABLE zoo_token ALTER COLUMN size DROP DEFAULT")
        call_command("archive", "load", Archive.objects.earliest("pk").name)
        assert run("SELECT size FROM zoo_token") == ("1",)


@pytest.mark.slow
def test_a_name_that_the_engine_uses_itself(folder: Path) -> None:
    with as_table():
        archived(folder, "1")
        run('ALTER TABLE zoo_token RENAME COLUMN note TO "_exact"')
        try:
            archived(folder, "2")
            run("UPDATE zoo_token SET size = 3")
        finally:
            run('ALTER TABLE zoo_token RENAME COLUMN "_exact" TO note')
        names = duck.read(at(folder), "size, _exact, _exact_")
    assert names == [(1, None, None), (2, None, None)]


@pytest.mark.slow
def test_an_end_that_counts_from_another_column_parts_the_table_by_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from purge.archive.table import Table

    with as_table():
        archived(folder, "1")
        run("ALTER TABLE zoo_token ADD COLUMN more date DEFAULT '2024-05-06'")
        monkeypatch.setattr(Table, "time", "more")
        archived(folder, "2")
        monkeypatch.setattr(Table, "time", None)
        archived(folder, "3")
    assert duck.read(at(folder), "size") == [1, 2, 3]
    names = [path.name.split(".")[1:] for path in sorted(at(folder).rglob("*.parquet"))]
    assert sorted(map(tuple, names)) == [
        ("2024-05", "parquet"),
        ("2026-01", "parquet"),
        ("parquet",),
    ]
