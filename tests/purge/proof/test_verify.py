"""Attacks by somebody who may do anything in the database, and with the store: each is found."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lifecycle.db.connection import fetch
from lifecycle.sealing.seal import seal_all
from purge.proof import gate, place
from purge.proof.verify import verify
from purge.proof.work import publish_now
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import ORIGIN, USING, as_superuser, in_folder, options, read_head

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    with in_folder(tmp_path):
        write(300)
        publish_now(USING)
        yield tmp_path / "proof" / ORIGIN / "1"


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


def rewrite() -> None:
    """The table's events, leaves and tree, all made to fit each other."""
    as_superuser("UPDATE lifecycle_event SET actor = 'x' WHERE id = %(n)s", n=newest(100))
    as_superuser("DELETE FROM lifecycle_seal")
    as_superuser("UPDATE lifecycle_log SET size = 0, frontier = '', last_event = 0, gaps = '[]'")
    seal_all(USING)


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
