"""A table in a bucket, and for roles that own nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from psycopg.errors import InsufficientPrivilege

from lifecycle.install import roles as install
from purge.models import Archive, IcebergTable
from purge.runner import run_due
from tests.hostile.roles import logged_in
from tests.purge.archive.engine import tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, labels, verified
from tests.s3.strict import CUT_AFTER, Strict
from tests.s3.swift import Server
from tests.security.roles import roles_of_a_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_duckdb_reads_a_bucket_of_openstack_swift(
    s3_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = s3_server.bucket()
    with override_settings(**bucket.settings), as_table():
        for count in (3, 1):
            tokens(count)
            run_due()
        assert verified(capsys) == ""
        table = IcebergTable.objects.get()
        assert table.location == f"s3://{bucket.name}/old/tokens"
        assert duck.read(table.location, bucket=bucket.settings) == sorted([*labels(3), "token 0"])
        call_command("archive", "load", "--dry-run", Archive.objects.latest("pk").name)
        assert "1 of 1 rows loaded" in capsys.readouterr().out


@pytest.mark.slow
def test_an_answer_that_is_lost_makes_no_row_come_twice(strict_s3: Strict) -> None:
    """The bucket has the metadata, and the worker does not know it."""
    bucket = strict_s3.bucket()
    tokens(2)
    with override_settings(**bucket.settings), as_table():
        strict_s3.faults["PUT"].extend([None, None, None, None, CUT_AFTER])
        assert run_due()["tokens"].purged == 2
        assert not strict_s3.faults["PUT"]
        table = IcebergTable.objects.get()
        assert duck.read(table.location, bucket=bucket.settings) == labels(2)


def test_a_worker_that_owns_nothing_writes_it_and_everybody_reads_where_it_is(
    tmp_path: Path, settings: Any
) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    with roles_of_a_site() as roles:
        worker = roles.site
        install.apply(install.grants([install.Role("worker", worker)], "default"), "default")
        tokens(2)
        with as_table(), logged_in(worker):
            assert run_due()["tokens"].purged == 2
        with roles.session(roles.stranger) as session:
            where = "SELECT metadata_location FROM lifecycle.iceberg_tables"
            (location,) = session.execute(where).fetchone() or ("",)
            assert location.endswith("/old/tokens/metadata/v1.metadata.json")
            for other in ("purge_iceberg_table", "lifecycle.iceberg_tables"):
                with pytest.raises(InsufficientPrivilege):
                    session.execute(f"DELETE FROM {other}")  # type: ignore[arg-type]
        assert duck.read(location) == labels(2)
