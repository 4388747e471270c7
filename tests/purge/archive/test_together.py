"""Rows that the database gives together: all of them, once, in order, however wide they are."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from lifecycle.exceptions import LifecycleError
from lifecycle.policy.registry import get_policy
from purge.archive import table as tables
from purge.archive.table import Block, Table
from purge.models import Archive, ArchivePart
from purge.runner import run_due
from tests.purge.archive.engine import archiving, kept_promise, tokens
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def labels(folder: Path) -> list[str]:
    """The labels of all rows in the archives, in their order."""
    (file,) = folder.rglob("*.jsonl.gz")
    return [json.loads(line)["label"] for line in gzip.decompress(file.read_bytes()).splitlines()]


@pytest.mark.parametrize(("together", "block"), [(1, 2**18), (3, 1), (7, 2**18), (100, 200)])
def test_all_rows_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, together: int, block: int
) -> None:
    monkeypatch.setattr(tables, "TOGETHER", together)
    monkeypatch.setattr(tables, "BLOCK", block)
    expected = [row.label for row in tokens(20)]
    with archiving("tokens"):
        run_due()
    assert labels(folder) == expected
    assert not Token.objects.exists()


def test_what_postgresql_cannot_give_together_comes_row_by_row(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is the database's own, as where a text would have over a gigabyte."""
    monkeypatch.setattr(tables, "TOGETHER", 4)
    monkeypatch.setattr(tables, "BLOCK", 1)
    copied, asked = Table._copied, []

    def failing(self: Table, part: int, line: str, first: int, together: int) -> Iterator[Block]:
        asked.append((first, together))
        for number, block in enumerate(copied(self, part, line, first, together)):
            if together > 1 and number == 2:
                break
            yield block
        if together > 1:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '54000'; END $$")

    monkeypatch.setattr(Table, "_copied", failing)
    expected = [row.label for row in tokens(20)]
    with archiving("tokens"):
        run_due()
    assert asked == [(1, 4), (9, 1)]
    assert labels(folder) == expected
    assert not Token.objects.exists()


def test_one_row_that_it_cannot_give_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TOGETHER", 1)

    def failing(*given: Any) -> Iterator[Block]:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '54000'; END $$")
        yield Block(b"", 0)

    monkeypatch.setattr(Table, "_copied", failing)
    tokens(3)
    with archiving("tokens"):
        with pytest.raises(OperationalError):
            run_due()
        assert Token.objects.count() == 3
        kept_promise()


def test_fewer_rows_than_were_noted_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TOGETHER", 1)
    monkeypatch.setattr(tables, "BLOCK", 1)
    copied = Table._copied
    monkeypatch.setattr(Table, "_copied", lambda *given: list(copied(*given))[1:])
    tokens(3)
    with archiving("tokens"):
        with pytest.raises(LifecycleError, match="gave 2 of 3 rows"):
            run_due()
        assert Token.objects.count() == 3
        kept_promise()


def test_the_wider_a_row_is_the_fewer_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row has a page at most where none has a part elsewhere; else each is asked."""
    rows = tokens(2)
    Token.objects.filter(pk=rows[1].pk).update(label="x" * 50)
    archive = Archive.objects.create(policy="tokens", model="zoo.token", prefix="old/")
    keys = [str(row.pk) for row in rows]
    part = ArchivePart.objects.create(archive=archive, number=1, keys=keys, low="", high="")
    table = Table(get_policy("tokens"), "default")
    assert table._together(part.pk) == tables.TOGETHER
    monkeypatch.setattr(tables, "WIDE", 200)
    assert table._together(part.pk) == 1
    monkeypatch.setattr(Table, "knows_versions", False)
    of_rows = Table(get_policy("tokens"), "default")
    assert of_rows._together(part.pk) == 200 // (1 + 50 + 8 + 8 + 1)
    archive.delete()
