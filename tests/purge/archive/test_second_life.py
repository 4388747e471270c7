"""Rows that were archived come back, and are archived once more: nothing is lost or told twice."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

import lifecycle
from lifecycle.models import Event
from lifecycle.testing import run_until, set_clock
from purge.runner import run_due
from tests.purge.archive.engine import archiving, manifests, tokens
from tests.purge.archive.making import columns_of, rows_of
from tests.purge.sources.windows.support import NOON, day
from tests.support import endings
from tests.zoo.models import Contract, Draft, Token


def everything() -> list[Any]:
    return rows_of("zoo_token", columns_of("zoo_token"), "id")


@pytest.mark.django_db(transaction=True)
def test_archived_loaded_released_and_archived_again(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    with archiving("tokens"):
        tokens(5)
        before = everything()
        run_due()
        (first,) = manifests(tmp_path)
        assert not Token.objects.exists()
        call_command("archive", "load", first["name"])
        assert everything() == before
        run_due()
        call_command("purge", "--replay", "--yes")  # as after a restore: they are there on purpose
        assert Token.objects.count() == 5
        lifecycle.release(reference=first["name"])
        run_due()
        assert not Token.objects.exists()
        call_command("archive", "verify", "--all")
        assert sorted(endings().values()) == [2] * 5
    names = {each["name"] for each in manifests(tmp_path)}
    told = Event.objects.filter(kind="archived").values_list("detail__archive", flat=True)
    assert set(told) == names
    assert len(names) == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_archive_that_some_row_has_not_left_takes_none_that_came_back(
    tmp_path: Path, settings: Any
) -> None:
    """Read back before they were loaded is not read back before they go."""
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    set_clock(NOON)
    free, protected = (Draft.objects.create(created_at=day(1)) for _ in "ab")
    Contract.objects.create(draft=protected)
    with archiving("drafts"):
        run_until(NOON + timedelta(hours=2))
        assert Draft.objects.get() == protected
        (first,) = manifests(tmp_path)
        assert first["rows"] == 2
        call_command("archive", "load", first["name"])
        lifecycle.release(reference=first["name"])
        run_until(NOON + timedelta(hours=4))
        assert Draft.objects.get() == protected
    assert {each["rows"] for each in manifests(tmp_path)} == {1, 2}
    last = Event.objects.filter(kind="purged", policy="drafts").latest("id")
    assert (last.subjects, last.detail["archive"] != first["name"]) == ([str(free.pk)], True)
