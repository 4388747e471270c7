"""Every type of key through an archive and back, under hostile settings of the database."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import Archive
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.models import Event
from purge.runner import run_due
from tests.keys import hostile
from tests.keys.tables import Line
from tests.keys.test_matrix import Matrix
from tests.support import run_until_idle

pytestmark = pytest.mark.django_db(transaction=True)

PREFIX = "keys/"


def content(line: Line) -> Any:
    """All rows of a table, exactly."""
    with connection.cursor() as cursor:
        table = line.model._meta.db_table
        cursor.execute("SET extra_float_digits = 1")
        cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY number)) FROM {table} AS t")
        return cursor.fetchone()[0]


@pytest.mark.slow
def test_rows_go_into_archives_and_come_back(
    lines: dict[str, Line], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    past = timezone.now() - timedelta(hours=5)
    for line in lines.values():
        fingerprint(line.policy)  # stays that of the declaration
        monkeypatch.setattr(line.policy, "disposition", Archive(prefix=PREFIX, formats=("jsonl",)))
    with hostile.database():
        matrix = Matrix(lines)
        for line in lines.values():
            numbers = range(min(line.type.count, 4))
            line.model.objects.bulk_create([line.row(n, expires_at=past) for n in numbers])
        before = {name: content(line) for name, line in lines.items()}
        run_until_idle()
        matrix.there("archived")
        names = {
            event.model: event.detail["archive"] for event in Event.objects.filter(kind="purged")
        }

        def load(line: Line) -> None:
            archive = names[line.model._meta.label_lower]
            call_command(
                "archive", "load", archive, "--prefix", PREFIX, "--actor", "jo", verbosity=0
            )

        matrix.each("load", load)
        matrix.each("the same", lambda line: content(line) == before[line.name])
        run_due()
        matrix.each("held", lambda line: content(line) == before[line.name])
    print(f"\n{matrix.table()}")
    assert matrix.wrong() == []
