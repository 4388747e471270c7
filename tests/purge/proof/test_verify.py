"""Attacks by somebody who may do anything in the database, and with the store: each is found."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from lifecycle.db.connection import fetch
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.keys import SignerKey
from lifecycle.proof.note import sign
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.proof import gate, place
from purge.proof.verify import verify
from purge.proof.work import publish_now
from tests.lifecycle.proof.writing import write as write_columns
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import ORIGIN, USING, in_folder, options, publish, read_head

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    with in_folder(tmp_path):
        write(300)
        publish_now(USING)
        yield tmp_path / "proof" / ORIGIN / "1"


def as_superuser(text: str, **params: object) -> None:
    """Without the triggers that guard the ledger."""
    with transaction.atomic():
        fetch(USING, "SET LOCAL session_replication_role = replica")
        fetch(USING, text, params)


def newest(back: int = 0) -> int:
    return int(
        fetch(USING, f"SELECT id FROM lifecycle_event ORDER BY id DESC OFFSET {back} LIMIT 1")[0][0]
    )


def problems(deep: bool = True) -> str:
    return "\n".join(verify(USING, options(), deep).problems)


@pytest.mark.parametrize("deep", [False, True])
def test_an_untouched_ledger_is_verified(deep: bool) -> None:
    found = verify(USING, options(), deep)
    assert (found.problems, found.unread) == ([], [])
    size = read_head().size
    assert f"{size} of {size} events are as they were sealed" in "\n".join(found.lines)


NO_DETAIL = pytest.param("detail = '{\"a\": 1}'", marks=pytest.mark.plants(10))


@pytest.mark.parametrize("change", ["actor = 'x'", "recorded_at = now()", "count = 7", NO_DETAIL])
def test_an_event_is_changed(change: str) -> None:
    number = newest(100)
    as_superuser(f"UPDATE lifecycle_event SET {change} WHERE id = %(n)s", n=number)
    assert f"event {number} " in problems()
    assert "is not what was sealed" in problems(deep=False)


def test_an_event_is_removed() -> None:
    number = newest(7)
    as_superuser("DELETE FROM lifecycle_event WHERE id = %(n)s", n=number)
    assert f"event {number} " in problems()


def test_an_event_is_inserted() -> None:
    number = newest() + 1
    fetch(USING, "SELECT nextval(pg_get_serial_sequence('lifecycle_event', 'id'))")
    write()
    publish()
    publish()
    write_columns({"id": str(number), "kind": "'kept'"})
    seal_all(USING)
    assert f"event {number} was put into the table" in problems()


def test_events_are_reordered() -> None:
    one, other = newest(4), newest(5)
    as_superuser("UPDATE lifecycle_event SET id = -id WHERE id IN (%(a)s, %(b)s)", a=one, b=other)
    swap = "UPDATE lifecycle_event SET id = CASE -id WHEN %(a)s THEN %(b)s ELSE %(a)s END"
    as_superuser(f"{swap} WHERE id < 0", a=one, b=other)
    assert f"event {other} " in problems()


def test_the_tail_is_cut() -> None:
    number = newest(2)
    as_superuser("DELETE FROM lifecycle_event WHERE id >= %(n)s", n=number)
    assert f"event {number} " in problems(deep=False)


def rewrite() -> None:
    """The table's events, leaves and tree, all made to fit each other."""
    as_superuser("UPDATE lifecycle_event SET actor = 'x' WHERE id = %(n)s", n=newest(100))
    as_superuser("DELETE FROM lifecycle_seal")
    as_superuser("UPDATE lifecycle_log SET size = 0, frontier = '', last_event = 0, gaps = '[]'")
    seal_all(USING)


def test_the_whole_chain_is_rewritten() -> None:
    rewrite()
    assert "is not what was published" in problems()
    assert "is not what was published" in problems(deep=False)


def test_a_tile_is_swapped(folder: Path) -> None:
    tile = folder / "tile/0/000"
    tile.write_bytes(tile.read_bytes()[32:] + tile.read_bytes()[:32])
    assert "is not what was published" in problems(deep=False)
    tile = folder / "tile/entries/000"
    tile.write_bytes(tile.read_bytes()[:-1] + b"x")
    assert problems()


def test_a_tile_of_another_level_is_swapped(folder: Path) -> None:
    (tile,) = (folder / "tile/1/000.p").iterdir()
    tile.write_bytes(b"x" * 32)
    assert "add up to another root" in problems(deep=False)


def test_the_checkpoint_is_rolled_back(folder: Path) -> None:
    old = (folder / "checkpoint").read_bytes()
    write(3)
    publish()
    (folder / "checkpoint").write_bytes(old)
    assert "the checkpoint has" in problems(deep=False)


def test_the_key_is_replaced(folder: Path) -> None:
    head, key = read_head(), SignerKey.generate(ORIGIN).named(f"{ORIGIN}/1")
    (folder / "checkpoint").write_bytes(sign(Checkpoint(*head).text, key).encode())
    assert "no signature of a known key" in problems(deep=False)


def test_the_store_is_emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    assert "no checkpoint is there" in problems(deep=False)


def test_the_clock_is_turned() -> None:
    """What is written with a wrong clock is sealed as it was written, in its place."""
    before = read_log(USING)
    number = write()[0]
    as_superuser("UPDATE lifecycle_event SET recorded_at = '2001-01-01' WHERE id = %(n)s", n=number)
    publish()
    assert problems() == ""
    as_superuser("UPDATE lifecycle_event SET recorded_at = now() WHERE id = %(n)s", n=number)
    assert f"event {number} " in problems()
    assert before


@pytest.mark.parametrize("attack", [rewrite, lambda: None], ids=["and rewritten", "only"])
def test_a_store_that_cannot_be_read_is_not_passed(
    folder: Path, attack: Callable[[], None]
) -> None:
    attack()
    shutil.rmtree(folder)
    folder.write_text("no folder")
    found = verify(USING, options())
    assert found.unread
    with pytest.raises(CommandError, match="could not be read"):
        call_command("lifecycle", "verify", "--proof")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("lifecycle", "verify", "--proof", "--deep")
    assert "all tiles and entries were read" in capsys.readouterr().out
    number = newest(50)
    as_superuser("UPDATE lifecycle_event SET cause = 'x' WHERE id = %(n)s", n=number)
    with pytest.raises(CommandError) as caught:
        call_command("lifecycle", "verify", "--proof")
    assert caught.value.returncode == 1
    assert f"event {number} " in capsys.readouterr().out
