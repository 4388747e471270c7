"""Promise 5 finds what breaks it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from lifecycle.promises import check as promises
from purge.runner import run_due
from tests.promises.test_planted import write, wrongly_purge
from tests.purge.archive.engine import archiving, tokens

NAME = "promise_05_archived_before_it_went"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(1, 2, 5)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def problems() -> list[str]:
    return [each.problem for each in promises.check(only=[NAME])[NAME]]


def archived(key: Any, ago: timedelta = timedelta(minutes=1), rows: int = 1) -> None:
    verified = (timezone.now() - ago).isoformat()
    write("archived", "tokens", key, archive="a", rows=rows, verified=verified)


def test_purged_and_never_archived() -> None:
    with archiving("tokens", checked=False):
        row = tokens(1)[0]
        wrongly_purge(row, "tokens")
        assert problems() == ["purged, and no event says that it was archived"]


def test_purged_and_another_row_was_archived() -> None:
    row, other = tokens(2)
    archived(other.pk)
    wrongly_purge(row, "tokens", archive="a")
    assert problems() == ["purged, and not among the rows of a"]


def test_archived_before_it_was_read_back() -> None:
    archived(tokens(1)[0].pk, ago=timedelta(hours=-1))
    assert problems() == ["archived before its archive was read back"]


def test_more_rows_than_the_archive_has() -> None:
    for row in tokens(2):
        archived(row.pk)
    assert problems() == ["more rows were archived into a than it has"]


def test_what_ended_before_the_policy_archived_is_not_asked() -> None:
    tokens(1)
    run_due()
    assert problems() == []
