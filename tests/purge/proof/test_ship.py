"""What is sealed is published, whole and in order, whatever stops it on the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.sealing import log as logs
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.archive.destinations import ObjectChanged
from purge.archive.folder import ArchiveFolder
from purge.proof import ship as shipping
from purge.proof.ship import Altered, ship, ship_all
from purge.proof.store import Conflict
from tests.lifecycle.proof.writing import write as write_columns
from tests.lifecycle.sealing.support import begin, check_log, write
from tests.purge.proof.support import (
    ORIGIN,
    USING,
    in_folder,
    options,
    publish,
    read_head,
    read_store,
)
from tests.s3.swift import Server
from tests.support import Background

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path):
        yield tmp_path / "proof" / ORIGIN / "1"


def shipped() -> tuple[int, int, int | None]:
    log = read_log(USING)
    assert log
    return log.shipped, log.size, log.shipping


def test_what_is_sealed_is_published(folder: Path) -> None:
    write(600)
    total = publish()
    assert total == read_head().size == len(read_store()) > 600
    assert publish() == 0
    write(3)
    assert publish() == 3
    assert len(read_store()) == total + 3
    assert shipped() == (total + 3, total + 3, None)


def test_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "MOST", 90)
    write(300)
    seal_all(USING)
    assert ship(USING, options()) == 90
    assert read_head().size == 90
    ship_all(USING, options())
    assert len(read_store()) == len(check_log())


def test_events_of_many_rows_go_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    monkeypatch.setattr(shipping, "MOST_SUBJECTS", 5)
    for _ in range(3):
        write_columns({"subjects_bigint": "'{1,2,3}'", "count": "3", "kind": "'kept'"})
    seal_all(USING)
    assert [ship(USING, options()) for _ in range(4)] == [1, 1, 1, 0]
    assert read_store()[-1].record.subjects == (("1", None), ("2", None), ("3", None))


def test_events_are_encrypted(folder: Path, tmp_path: Path) -> None:
    names = {"subjects_text": "'{alice@example.org}'", "actor": "'Mallory'", "kind": "'kept'"}
    write_columns(names)
    publish()
    stored = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert stored
    assert not any(word in each for each in stored for word in (b"alice", b"Mallory"))
    with (
        in_folder(tmp_path, key=lambda: "A" * 43 + "="),
        pytest.raises(LifecycleError, match="key"),
    ):
        read_store()
    assert read_store()[-1].record.actor == "Mallory"


class Killed(BaseException):
    """The worker is gone."""


class Deadly:
    """Kills at the nth step that changes the store or the database: before it, or after."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, after: bool) -> None:
        self.at, self.after, self.steps = at, after, 0
        for owner, name in (
            (ArchiveFolder, "put"), (ArchiveFolder, "replace"), (shipping, "note"),
        ):  # fmt: skip
            patch.setattr(owner, name, self.wrapped(getattr(owner, name)))

    def wrapped(self, call: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.steps += 1
            mine = self.steps == self.at
            if mine and not self.after:
                raise Killed
            found = call(*args, **kwargs)
            if mine:
                raise Killed
            return found

        return step


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_step(folder: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    monkeypatch.setattr("purge.proof.store.AT_ONCE", 1)
    publish()
    at, done = 1, False
    while not done:
        write(2)
        seal_all(USING)
        with monkeypatch.context() as patch:
            deadly = Deadly(patch, at, after)
            try:
                ship_all(USING, options())
                done = True
            except Killed:
                connection.close()
        write()  # the next run has more to seal, and still ships what was chosen first
        publish()
        assert len(read_store()) == len(check_log()) == read_head().size
        at += 1
    assert at > deadly.steps >= 5


def test_another_session_ships(folder: Path) -> None:
    write()
    seal_all(USING)
    with transaction.atomic():
        assert logs.try_lock(USING)
        assert Background(lambda: ship_all(USING, options())).result() == 0
    assert ship_all(USING, options()) > 0


def test_an_altered_event_is_not_published(folder: Path) -> None:
    publish()
    (number,) = write()
    seal_all(USING)
    size = read_head().size
    fetch(USING, "SET session_replication_role = replica")
    fetch(USING, "UPDATE lifecycle_event SET actor = 'Mallory' WHERE id = %(n)s", {"n": number})
    fetch(USING, "RESET session_replication_role")
    with pytest.raises(Altered, match=str(number)):
        ship_all(USING, options())
    assert read_head().size == size


def test_another_tile_in_its_place_is_not_signed(folder: Path) -> None:
    publish()
    write(3)
    seal_all(USING)
    size = shipped()[1]
    planted = folder / f"tile/0/000.p/{size}"
    planted.write_bytes(b"x" * 32 * size)
    before = read_head()
    with pytest.raises(Conflict, match="not what was sealed"):
        ship_all(USING, options())
    assert read_head() == before


def test_a_checkpoint_of_another_is_not_replaced(folder: Path) -> None:
    publish()
    other = (folder / "checkpoint").read_bytes() + b"\xe2\x80\x94 witness AAAA\n"
    (folder / "checkpoint").write_bytes(other)
    write()
    seal_all(USING)
    with pytest.raises(ObjectChanged):
        ship_all(USING, options())
    assert (folder / "checkpoint").read_bytes() == other


@pytest.mark.slow
def test_in_a_bucket(s3_server: Server, tmp_path: Path) -> None:
    begin_at = logs.open_log(USING, 1, f"{ORIGIN}/1")
    bucket = s3_server.bucket()
    with in_folder(tmp_path), override_settings(**bucket.settings):
        write(5)
        publish()
        write(5)
        publish()
        assert len(read_store()) == read_head().size == len(check_log())
    assert begin_at.shipped == 0
    assert not any(tmp_path.iterdir())


def test_nothing_is_shipped_before_a_log_is_begun(tmp_path: Path) -> None:
    with in_folder(tmp_path):
        assert publish() == 0
    begin()
