"""Rows go into a table that others read: each once, with its own values, by month."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from lifecycle.models import Event
from purge.models import Archive
from purge.runner import run_due
from tests.purge.archive.engine import tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, at, labels, own, verified
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def test_duckdb_reads_1_000_rows_of_three_months(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens(400, datetime(2026, 1, 31, 23, 55, tzinfo=UTC))
    tokens(600, datetime(2025, 3, 1, tzinfo=UTC))
    with as_table():
        assert run_due()["tokens"].purged == 1_000
        assert not Token.objects.exists()
        assert verified(capsys) == ""
    found = duck.read(
        at(folder), "label, strftime(expires_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S')"
    )
    assert len(found) == 1_000
    assert ("token 299", "2026-01-31 23:59:59") in found
    assert ("token 300", "2026-02-01 00:00:00") in found
    data = {path.name.split(".")[1] for path in (at(folder) / "data").glob("*.parquet")}
    assert data == {"2025-03", "2026-01", "2026-02"}
    (archived,) = Event.objects.filter(kind="archived")
    assert archived.detail["snapshot"] == str(Archive.objects.get().snapshot)


@pytest.mark.slow
def test_each_archive_is_a_snapshot_more(folder: Path) -> None:
    with as_table():
        for count in (3, 2):
            tokens(count)
            run_due()
    assert own().version == 2
    assert duck.read(at(folder), "count(*), count(DISTINCT _archived_at)") == [(5, 2)]
    assert duck.read(at(folder) / "metadata" / "v1.metadata.json") == labels(3)


@pytest.mark.slow
def test_others_read_the_catalogue_in_the_database(folder: Path) -> None:
    from pyiceberg.catalog import load_catalog

    tokens(4)
    with as_table():
        run_due()
    told = connection.get_connection_params()
    address = f"{told.get('user', '')}:{told.get('password') or ''}@/{told['dbname']}"
    where = f"host={told['host']}&port={told.get('port') or 5432}"
    catalog = load_catalog(
        "lifecycle", type="sql", init_catalog_tables="false",
        uri=f"postgresql+psycopg://{address}?{where}&options=-csearch_path%3Dlifecycle",
    )  # fmt: skip
    assert catalog.list_namespaces() == [("archives",)]
    assert catalog.list_tables("archives") == [("archives", "tokens")]
    table = catalog.load_table("archives.tokens")
    assert sorted(table.scan().to_arrow()["label"].to_pylist()) == labels(4)
    assert [str(field.transform) for field in table.spec().fields] == ["month"]
    catalog.engine.dispose()


@pytest.mark.slow
def test_values_that_no_field_holds_are_texts_beside(folder: Path) -> None:
    tokens(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE zoo_token SET expires_at = '0044-03-15 BC'")
    with as_table():
        run_due()
        found = duck.read(at(folder), "label, expires_at IS NULL, _exact")
        assert found == [("token 0", True, '{"expires_at":"0044-03-15 00:00:00+00 BC"}')]
        assert [path.name.split(".")[1] for path in at(folder).rglob("*.parquet")] == ["none"]
        call_command("archive", "load", Archive.objects.get().name)
        assert run_text("SELECT expires_at::text FROM zoo_token") == "0044-03-15 00:00:00+00 BC"


def run_text(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        cursor.execute(text)
        return str(cursor.fetchone()[0])


@pytest.mark.slow
def test_rows_come_back_from_all_months(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens(3)
    tokens(2, datetime(2025, 3, 1, tzinfo=UTC))
    before = list(Token.objects.order_by("pk").values())
    with as_table():
        run_due()
        call_command("archive", "load", Archive.objects.get().name)
        assert "5 of 5 rows loaded" in capsys.readouterr().out
        assert list(Token.objects.order_by("pk").values()) == before
        call_command("archive", "ls")
        assert "tokens" in capsys.readouterr().out


@pytest.mark.slow
def test_metadata_tell_no_values_but_keys_and_times(folder: Path) -> None:
    Token.objects.create(label="Annabella Secret", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    with as_table():
        run_due()
    told = b"".join(path.read_bytes() for path in (at(folder) / "metadata").iterdir())
    assert b"Annabell" not in told
    assert "Annabella Secret" in duck.read(at(folder))
