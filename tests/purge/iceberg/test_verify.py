"""A bucket that was forged, or a catalogue that was changed, is found by `archive verify`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from purge.archive.destinations import destination
from purge.iceberg import staging
from purge.models import Archive, IcebergTable
from purge.runner import run_due
from tests.purge.archive.engine import tokens
from tests.purge.iceberg.engine import as_table, at, own, run, verified

pytestmark = pytest.mark.django_db(transaction=True)


def forge(folder: Path, change: Callable[[Any], None]) -> None:
    """Write another version, as whoever may write at the place and in the database can: its
    metadata fit each other, and the catalogue."""
    table, objects = staging.opened(own(), destination())
    change(table)
    made = staging.staged(own(), None, table, objects, own().version + 1)
    for name, body in made.objects.items():
        (folder / name).write_bytes(body)
    import hashlib

    sha256 = hashlib.sha256(made.objects[own().metadata_name(made.version)]).hexdigest()
    IcebergTable.objects.update(version=made.version, sha256=sha256)
    (at(folder) / "metadata" / "version-hint.text").write_text(str(made.version))


def drop_first(table: Any) -> None:
    first = next(iter(table.scan().plan_files())).file
    with table.transaction() as opened, opened.update_snapshot().overwrite() as update:
        update.delete_data_file(first)


def show_twice(table: Any) -> None:
    first = next(iter(table.scan().plan_files())).file
    with table.transaction() as opened, opened.update_snapshot().fast_append() as update:
        update.append_data_file(first)


def data_of(folder: Path) -> Path:
    return sorted(at(folder).rglob("*.parquet"))[0]


def lose(path: Path) -> None:
    path.unlink()


FORGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a data file is changed": (
        lambda f: data_of(f).write_bytes(data_of(f).read_bytes()[:-9] + b"forged..."),
        "has another SHA-256",
    ),
    "a data file is lost": (lambda f: lose(data_of(f)), "is missing"),
    "metadata are changed": (
        lambda f: (at(f) / "metadata" / "v2.metadata.json").write_text("{}"),
        "another SHA-256",
    ),
    "metadata are lost": (
        lambda f: lose(at(f) / "metadata" / "v2.metadata.json"),
        "v2.metadata.json is missing",
    ),
    "a list of files is changed": (
        lambda f: max((at(f) / "metadata").glob("snap-*")).write_bytes(b"Obj"),
        "cannot be used",
    ),
    "a list of files is lost": (
        lambda f: lose(max((at(f) / "metadata").glob("*-m0.avro"))),
        "is missing",
    ),
    "the catalogue names an earlier version": (
        lambda f: run("UPDATE purge_iceberg_table SET version = 1"),
        "another SHA-256",
    ),
    "the hint names an earlier version": (
        lambda f: (at(f) / "metadata" / "version-hint.text").write_text("1"),
        "names another version than 2",
    ),
    "others have put a version": (
        lambda f: (at(f) / "metadata" / "v3.metadata.json").write_text("{}"),
        "no version of the table tokens needs it",
    ),
    "rows are taken out, and all fits": (
        lambda f: forge(f, drop_first),
        "tokens shows 0 of its 3 rows",
    ),
    "rows are shown twice, and all fits": (
        lambda f: forge(f, show_twice),
        "is shown by tokens otherwise than it was written",
    ),
    "rows are added, and all fits": (
        lambda f: forge(f, lambda table: add_rows(f, table)),
        "is shown by tokens, and of no archive that is known",
    ),
}


def add_rows(folder: Path, table: Any) -> None:
    first = next(iter(table.scan().plan_files())).file
    first[1] = first.file_path.replace(".2026-01.parquet", "_9.2026-01.parquet")
    data_of(folder).with_name(first.file_path.rpartition("/")[2]).write_bytes(
        data_of(folder).read_bytes()
    )
    with table.transaction() as opened, opened.update_snapshot().fast_append() as update:
        update.append_data_file(first)


@pytest.mark.parametrize("what", FORGED)
def test_it_is_found(folder: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    with as_table():
        for _ in range(2):
            tokens(3)
            run_due()
        forged, found = FORGED[what]
        forged(folder)
        assert found in verified(capsys)


@pytest.mark.slow
def test_what_is_not_forged_is_whole_also_after_many(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Former snapshots go, and their metadata."""
    monkeypatch.setattr(staging, "MOST", 2)
    monkeypatch.setitem(staging.PROPERTIES, "write.metadata.previous-versions-max", "2")
    monkeypatch.setitem(staging.PROPERTIES, "commit.manifest.min-count-to-merge", "2")
    with as_table():
        for _ in range(5):
            tokens(1)
            run_due()
        assert verified(capsys) == ""
    there = [path.name for path in (at(folder) / "metadata").iterdir()]
    assert sorted(name for name in there if name.startswith("v")) == [
        "v3.metadata.json", "v4.metadata.json", "v5.metadata.json", "version-hint.text",
    ]  # fmt: skip
    assert sum(name.startswith("snap-") for name in there) == 2
    assert own().leaving == []
    assert Archive.objects.count() == 5
