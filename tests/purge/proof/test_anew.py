"""After an alarm the ledger goes on under the next origin, and says so; what the command tells."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import purge
from lifecycle import hold, release
from lifecycle.db.connection import fetch
from lifecycle.models import Event
from lifecycle.proof.keys import SignerKey
from lifecycle.sealing.log import read_log, read_seals
from lifecycle.sealing.seal import seal_all
from purge.models import Request
from purge.proof import gate, place
from purge.proof.detect import State
from purge.proof.verify import verify
from purge.proof.work import publish_now
from purge.requests.ask import retry
from purge.requests.told import RESTORED
from tests.lifecycle.proof.writing import write as write_columns
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import (
    ORIGIN,
    USING,
    a_due_row,
    alarm,
    in_folder,
    it_ends,
    nothing_ends,
    options,
    publish,
    published,
    read_head,
    read_store,
    state,
)  # fmt: skip
from tests.support import let_pass
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)

BackUp = Callable[[], Callable[[], None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(gate, "TRUSTED", 0.0)  # asked each time
    with in_folder(tmp_path):
        yield


def proof(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    call_command("lifecycle", "proof", *words)
    return capsys.readouterr().out


def sealed_of(number: int) -> list[int]:
    log = read_log(USING, number)
    assert log
    return read_seals(USING, log, 0, log.size).events


@pytest.mark.parametrize("written_on", [0, 4, 40], ids=["restored", "forked", "longer"])
def test_a_restored_ledger_goes_on(
    back_up: BackUp,
    capsys: pytest.CaptureFixture[str],
    written_on: int,
) -> None:
    published(5)
    restore = back_up()
    write_columns({"subjects_text": "'{gone}'", "model": "'x.y'", "kind": "'kept'"})
    published(9)
    head = read_head()
    restore()
    before = set(Event.objects.values_list("pk", flat=True))
    if written_on:
        fetch(
            USING,
            "SELECT setval(pg_get_serial_sequence('lifecycle_event', 'id'), max(id))"
            " FROM lifecycle_event",
        )
        write(written_on)
        seal_all(USING)
    row = a_due_row()
    nothing_ends(row)
    with pytest.raises(CommandError, match="restored" if not written_on else "forked") as caught:
        call_command("lifecycle", "proof")
    assert caught.value.returncode == 1
    if not written_on:  # else the numbers of some are taken by others
        missing = [json.loads(line) for line in proof("--missing", capsys=capsys).splitlines()]
        assert len(missing) == 10
        assert [line["subjects"] for line in missing if line["model"] == "x.y"] == [
            [["gone", None]]
        ]
    assert f"{ORIGIN}/2" in proof("--begin-anew", "--actor", "Ada", capsys=capsys)
    assert state() is State.NORMAL
    publish_now(USING)
    publish()
    event = Event.objects.get(kind="log_begun")
    assert (event.actor, event.detail["log"]) == ("Ada", 2)
    assert event.detail["previous"] == f"{ORIGIN}/1 {head.size} {head.root.hex()}"
    assert sealed_of(2)[0] == event.pk
    every = set(Event.objects.values_list("pk", flat=True))
    assert sorted(sealed_of(1) + sealed_of(2)) == sorted(every)
    assert before >= set(sealed_of(1))
    assert len(read_store()) == read_head().size == len(sealed_of(2))
    found = verify(USING, options(), deep=True)
    assert (found.problems, found.unread) == ([], [])
    it_ends(row)
    assert alarm() == {}


def test_not_without_an_alarm() -> None:
    published()
    with pytest.raises(CommandError, match="no alarm"):
        call_command("lifecycle", "proof", "--begin-anew", "--actor", "Ada")


def test_another_copy_has_begun_anew_too(back_up: BackUp) -> None:
    published()
    restore = back_up()
    published()
    restore()
    again = back_up()
    assert state() is State.RESTORED
    call_command("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    publish_now(USING)
    again()
    assert state() is State.RESTORED
    call_command("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    log = read_log(USING)
    assert log
    assert log.origin == f"{ORIGIN}/3"


def test_a_new_key(capsys: pytest.CaptureFixture[str]) -> None:
    key = SignerKey.parse(proof("--new-key", "example.org/l", capsys=capsys).strip())
    assert key.name == "example.org/l"
    with pytest.raises(CommandError, match="no origin"):
        call_command("lifecycle", "proof", "--new-key", "Not An Origin")


def test_the_public_key(capsys: pytest.CaptureFixture[str]) -> None:
    published()
    assert proof("--public-key", capsys=capsys).startswith(f"{ORIGIN}/1+")
    assert "sealed" in proof(capsys=capsys)


def test_the_setting_is_off(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.LIFECYCLE_PROOF = None
    assert "not set" in proof(capsys=capsys)
    with pytest.raises(CommandError, match="could not be read"):
        call_command("lifecycle", "verify", "--proof")


def test_open_requests_wait_for_somebody(
    back_up: BackUp, capsys: pytest.CaptureFixture[str]
) -> None:
    """One may have been answered since the backup: that is among what this ledger has lost."""
    row = Person.objects.create(name="Ann")
    hold(row, reason="court", reference="C-1")
    asked = purge.request_erasure(row, "DSR-1", actor="jo", grace=timedelta(0))
    published()
    restore, before = back_up(), Request.objects.values().get()
    purge.answer_request(asked.pk, "a contract", "kim")
    published()
    restore()
    Request.objects.update(**before)
    assert state() is State.RESTORED
    call_command("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    assert "1 open requests" in capsys.readouterr().err
    release(reference="C-1")
    let_pass(timedelta(days=1))
    retry()
    assert Person.objects.exists()
    assert Request.objects.get().waits_for == RESTORED
