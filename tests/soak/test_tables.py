"""One million audit rows into a table, beside the Parquet archive: speed, memory, and DuckDB reads.

`python -m pytest -s -m "" tests/soak/test_tables.py`; what it prints is in docs/benchmarks.md.
What the erasure of a person takes is measured alone, in one to three minutes, with `-k leaves`; of
another number of rows with `TABLE_ROWS=`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

import purge
from purge.models import Archive, IcebergTable
from tests.infra.servers import ROOT
from tests.purge.archive.engine import archiving
from tests.purge.iceberg import duck
from tests.purge.worker.consumer import address
from tests.s3.swift import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3_000)]

ROWS = int(os.environ.get("TABLE_ROWS", "1000000"))
COLUMNS = (
    "ALTER TABLE zoo_token ADD COLUMN actor varchar(150), ADD COLUMN action varchar(50),"
    " ADD COLUMN target varchar(200), ADD COLUMN ip inet, ADD COLUMN detail jsonb"
)
BARE = (
    "ALTER TABLE zoo_token DROP COLUMN actor, DROP COLUMN action, DROP COLUMN target,"
    " DROP COLUMN ip, DROP COLUMN detail"
)
INSERT = (
    "INSERT INTO zoo_token (label, active, expires_at, actor, action, target, ip, detail)"
    " SELECT 'entry', true, timestamptz '2026-01-01' + i * interval '7.776 seconds',"
    " 'user-' || i % 500, 'update', 'demo.Service:' || i, '192.0.2.7',"
    " jsonb_build_object('field', 'title', 'number', i) FROM generate_series(1, {}) AS i"
)
FORMS: dict[str, dict[str, Any]] = {
    "parquet": {"formats": ["parquet"]},
    "iceberg": {"formats": None, "table": "iceberg"},
}


def run(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def audited() -> Iterator[None]:
    """Tokens with the columns of an audit log."""
    run(COLUMNS)
    yield
    run(BARE)


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_million_rows(audited: None, s3_server: Server, tmp_path: Path, place: str) -> None:
    bucket = s3_server.bucket().settings if place == "bucket" else {}
    taken = {}
    for form, told in FORMS.items():
        run("TRUNCATE zoo_token")
        run(INSERT.format(ROWS))
        run("VACUUM ANALYZE zoo_token")
        settings = bucket or {"LIFECYCLE_ARCHIVE_DIR": str(tmp_path)}
        taken[form] = _archived(settings, told | {"prefix": f"old/{form}/"})
        assert taken[form]["purged"] == ROWS
    for form, took in taken.items():
        rate, megabytes = ROWS / took["seconds"], took["peak"] / 1024
        print(
            f"\n{place}, {form}: {rate:,.0f} rows/s; on the processor {took['processor']:.1f} s of"
            f" the worker, {took['backend']:.1f} s of its backend; peak memory {megabytes:.0f} MB"
        )
    with override_settings(**settings), archiving("tokens", checked=False, **told):
        call_command("archive", "verify", "--all", "--prefix", "old/")
    table = IcebergTable.objects.get()
    begun = time.perf_counter()
    text = "count(*), count(DISTINCT id), count(DISTINCT actor), min(target)"
    assert duck.read(table.location, text, bucket=bucket or None) == [
        (ROWS, ROWS, 500, "demo.Service:1")
    ]
    print(f"{place}, DuckDB reads it in {time.perf_counter() - begun:.1f} s")
    begun = time.perf_counter()
    early = f"{table.location}') WHERE expires_at < '2026-02-01' --"
    (some,) = duck.read(early, "count(*)", bucket=bucket or None)
    took = time.perf_counter() - begun
    print(f"{place}, DuckDB counts {some:,} rows of a month in {took:.1f} s")
    assert some == sum(1 for i in range(1, ROWS + 1) if i * 7.776 < 31 * 86_400)
    of_table = Archive.objects.exclude(snapshot=None)
    assert sum(of_table.values_list("rows", flat=True)) == ROWS
    with override_settings(**settings), archiving("tokens", checked=False, **told):
        begun = time.perf_counter()
        gone = purge.erase_archived("tokens", {"actor": "user-7"}, "R-1", actor="jo")
        took = time.perf_counter() - begun
    print(f"{place}, {gone.rows:,} rows of one person left archives of both forms in {took:.1f} s")
    assert (gone.rows, gone.left) == (2 * (ROWS // 500), {})
    table.refresh_from_db()
    text = "count(*), count(*) FILTER (WHERE actor = 'user-7')"
    assert duck.read(table.location, text, bucket=bucket or None) == [(ROWS - ROWS // 500, 0)]


def test_a_person_leaves_a_million_rows(audited: None, tmp_path: Path) -> None:
    """Of the table alone, in a folder: what it takes, and that neither row nor old file is left."""
    run(INSERT.format(ROWS))
    run("VACUUM ANALYZE zoo_token")
    place, told = {"LIFECYCLE_ARCHIVE_DIR": str(tmp_path)}, FORMS["iceberg"] | {"prefix": "old/"}
    assert _archived(place, told)["purged"] == ROWS
    before = files(tmp_path)
    took = _archived(place, told, "user-7")
    hers = ROWS // 500
    print(
        f"\n{took['rows']:,} of {ROWS:,} rows left {took['archives']} archives,"
        f" {len(before)} files of {sum(before.values()) / 1e6:.1f} MB: on the processor"
        f" {took['processor']:.1f} s of the process, {took['backend']:.1f} s of its backend;"
        f" {took['seconds']:.1f} s by the clock; peak memory {took['peak'] / 1024:.0f} MB;"
        f" read {took['read'] / 1e6:.1f} MB, written {took['written'] / 1e6:.1f} MB"
    )
    assert (took["rows"], took["left"]) == (hers, {})
    table = IcebergTable.objects.get()
    text = "count(*), count(DISTINCT id), count(*) FILTER (WHERE actor = 'user-7')"
    for at in (table.location, str(tmp_path / table.folder)):
        assert duck.read(at, text) == [(ROWS - hers, ROWS - hers, 0)]
    assert files(tmp_path).keys() & before.keys() == {f"{table.metadata}version-hint.text"}
    assert _in_any_file(tmp_path) == (ROWS - hers, 0)
    with override_settings(**place), archiving("tokens", checked=False, **told):
        call_command("archive", "verify", "--all", "--prefix", "old/")


def files(folder: Path) -> dict[str, int]:
    """Every file below a folder, by its path, with its bytes."""
    there = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_size for path in there}


def _in_any_file(folder: Path) -> Any:
    """What is in the data files that lie there, whether the table shows them or not."""
    with duck.connected() as connection:
        return connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE actor = 'user-7')"
            f" FROM read_parquet('{folder}/**/*.parquet', union_by_name = true)"
        ).fetchone()


def _archived(place: dict[str, str], told: dict[str, Any], *erased: str) -> dict[str, Any]:
    """What a worker took to archive what is due, or to erase an actor in archives."""
    env = {"DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.table_worker", json.dumps(told), *erased],
        cwd=ROOT, env=os.environ | env | {"PLACE": json.dumps(place)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
