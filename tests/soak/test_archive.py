"""Archives of many rows: equal to the originals when they come back; memory that does not grow."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.purge.archive.engine import archiving
from tests.purge.worker.consumer import address
from tests.s3.swift import Server

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = (
    "INSERT INTO zoo_token (label, active, expires_at) SELECT md5(i::text), true,"
    " timestamptz '2026-01-01' + i * interval '1.000001 seconds' FROM generate_series(1, %s) AS i"
)


def run(text: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchone() if cursor.description else None


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_200_000_rows_come_back_as_they_were(
    s3_server: Server, tmp_path: Path, settings: Any, place: str
) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    if place == "bucket":
        for name, value in s3_server.settings(s3_server.bucket().name).items():
            setattr(settings, name, value)
    run(INSERT, 200_000)
    run("CREATE TABLE before AS SELECT * FROM zoo_token")
    try:
        with archiving("tokens"):
            assert run_due()["tokens"].purged == 200_000
            assert run("SELECT count(*) FROM zoo_token") == (0,)
            call_command("archive", "verify", all=True)
            (name,) = run("SELECT name FROM purge_archive")
            call_command("archive", "load", name)
        same = "SELECT count(*) FROM zoo_token AS t JOIN before USING (id) WHERE t = before"
        assert run(same.replace("t = before", "ROW(t.*) = ROW(before.*)")) == (200_000,)
    finally:
        run("DROP TABLE before")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for rows in (20_000, 1_000_000):
        run(INSERT, rows)
        peaks.append(_peak(tmp_path / str(rows)))
        assert run("SELECT count(*) FROM zoo_token") == (0,)
    print(f"peak memory in KiB: {peaks}, {peaks[1] / peaks[0]:.3f}")
    assert peaks[1] <= 1.1 * peaks[0]


def _peak(folder: Path) -> int:
    """The most memory that a worker had, in KiB."""
    told = {"DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    told |= {"ARCHIVE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.purge.archive.killed", "never"],
        cwd=ROOT,
        env=os.environ | told,
        capture_output=True,
        check=True,
    )
    return int(done.stdout)
