"""Rows that go by windows come back as others do; where the ledger names none, beside it only."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import lifecycle
from lifecycle.models import Event
from lifecycle.testing import run_until, set_clock
from tests.purge.archive.making import PREFIX, made
from tests.purge.sources.windows.support import NOON, day, trace
from tests.zoo.models import Badge, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, settings: Any, transactional_db: None) -> Path:
    set_clock(NOON)
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    (tmp_path / PREFIX).mkdir()
    return tmp_path


@pytest.mark.slow
def test_they_end_only_when_released(folder: Path) -> None:
    for hour in (1, 5):
        trace(day(20, hour))
    manifest = made(folder, Trace)
    run_until(day(21))
    assert not Trace.objects.exists()
    call_command("archive", "load", manifest.name, "--prefix", PREFIX)
    run_until(day(23))
    assert Trace.objects.count() == 2
    lifecycle.release(reference=manifest.name)
    run_until(day(25))
    assert not Trace.objects.exists()
    assert [event.count for event in Event.objects.filter(kind="purged", policy="traces")] == [2, 2]


def test_rows_that_the_ledger_must_not_name(folder: Path) -> None:
    Badge.objects.create(secret="s3cret", until=day(20) + timedelta(days=9))
    manifest = made(folder, Badge)
    with pytest.raises(CommandError, match="must not name rows of zoo"):
        call_command("archive", "load", manifest.name, "--prefix", PREFIX)
