"""Rows that were archived come back, and are archived once more: nothing is lost or told twice."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

import lifecycle
from lifecycle.models import Event
from purge.runner import run_due
from tests.archive.engine import archiving, manifests, tokens
from tests.archive.making import columns_of, rows_of
from tests.support import endings
from tests.zoo.models import Token


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
