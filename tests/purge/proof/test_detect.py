"""A ledger that is not what was published is told from one that is, and nothing ends in it."""

import io
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from lifecycle import signals
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.keys import SignerKey
from lifecycle.proof.note import sign
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.alerts.watch import watch
from purge.proof import gate, place, work
from purge.proof.detect import State
from purge.proof.ship import store_of
from purge.proof.store import ProofStore
from purge.proof.undone import count_undone
from purge.proof.work import publish_now
from tests.lifecycle.sealing.support import write
from tests.mailing import ADMINS
from tests.purge.proof.support import (
    ORIGIN,
    SIGNER,
    USING,
    a_due_row,
    alarm,
    as_superuser,
    in_folder,
    it_ends,
    nothing_ends,
    options,
    published,
    read_head,
    state,
)  # fmt: skip
from tests.support import run_until_idle
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(gate, "TRUSTED", 0.0)  # asked each time
    monkeypatch.setattr(gate, "SOON", 0.0)
    with in_folder(tmp_path):
        yield tmp_path / "proof" / ORIGIN / "1"


def test_a_new_site_is_normal() -> None:
    assert state() is State.NORMAL
    published()
    assert state() is State.NORMAL
    it_ends(a_due_row())


def test_restored(back_up: Any, caplog: pytest.LogCaptureFixture) -> None:
    row = a_due_row()
    published()
    restore, size = back_up(), read_head().size
    published(7)
    newest = back_up()
    restore()
    assert "restored" in nothing_ends(row)
    found = alarm()
    assert (found["kind"], found["missing"]) == ("restored", read_head().size - size)
    assert found["command"] == "`manage.py purge --replay --from-proof --dry-run`"
    assert [record.action for record in caplog.records if record.action == "proof_alarm"] == [
        "proof_alarm"
    ]  # type: ignore[attr-defined]
    publish_now(USING)
    assert alarm()["since"] == found["since"]
    head = read_head()
    write(50)
    publish_now(USING)  # signs nothing else
    assert read_head() == head
    newest()
    assert state() is State.NORMAL
    assert alarm() == {}
    it_ends(row)


def test_restored_to_before_the_log_began(back_up: Any) -> None:
    restore = back_up()
    published()
    restore()
    row = a_due_row()
    assert "restored" in nothing_ends(row)


@pytest.mark.parametrize("more", [2, 40], ids=["shorter", "longer"])
def test_forked(back_up: Any, more: int) -> None:
    published()
    restore = back_up()
    published(10)
    restore()
    write(more)
    seal_all(USING)  # as a worker does that cannot reach the store
    row = a_due_row()
    assert "forked" in nothing_ends(row)
    assert alarm()["kind"] == "forked"


def test_what_was_published_and_not_noted_is_no_alarm(back_up: Any) -> None:
    """The worker was killed after the checkpoint; the ledger has all of it sealed."""
    published()
    write(4)
    seal_all(USING)
    restore = back_up()
    publish_now(USING)
    restore()
    assert state() is State.NORMAL
    publish_now(USING)
    assert state() is State.NORMAL
    published()


def test_a_store_that_shows_nothing(folder: Path) -> None:
    published()
    row = a_due_row()
    assert gate.why_closed(USING, files=True) == ""
    shutil.rmtree(folder)
    assert "unproved" in gate.why_closed(USING, files=True)
    assert alarm()["kind"] == "unproved"
    it_ends(row)  # rows go on; files and archives do not


def test_a_store_that_cannot_be_read(folder: Path) -> None:
    published()
    row = a_due_row()
    shutil.move(folder, folder.with_name("away"))
    folder.write_text("no folder")
    gate.forget(USING)  # as a process that has just begun
    assert "before the ledger is compared" in nothing_ends(row)
    folder.unlink()
    shutil.move(folder.with_name("away"), folder)
    it_ends(row)
    shutil.move(folder, folder.with_name("away"))
    folder.write_text("no folder")
    assert gate.why_closed(USING) == ""
    assert "unproved" in gate.why_closed(USING, files=True)


def test_a_checkpoint_that_is_rolled_back(folder: Path) -> None:
    published()
    old = (folder / "checkpoint").read_bytes()
    published()
    (folder / "checkpoint").write_bytes(old)
    assert state() is State.UNPROVED
    assert "gone back" in alarm()["text"]


def test_a_checkpoint_of_another_key(folder: Path) -> None:
    published()
    head = read_head()
    larger = Checkpoint(head.origin, head.size + 1, head.root).text
    for key in (SignerKey.generate(head.origin), SignerKey.generate(ORIGIN)):
        (folder / "checkpoint").write_bytes(sign(larger, key).encode())
        assert state() is State.UNPROVED


def test_a_later_log_of_the_site(folder: Path) -> None:
    published()
    later = Checkpoint(f"{ORIGIN}/2", 1, b"r" * 32).text
    (folder.parent / "2").mkdir()
    data = sign(later, SIGNER.named(f"{ORIGIN}/2")).encode()
    (folder.parent / "2" / "checkpoint").write_bytes(data)
    assert state() is State.RESTORED


def test_altered() -> None:
    published()
    (number,) = write()
    seal_all(USING)
    as_superuser("UPDATE lifecycle_event SET cause = 'x' WHERE id = %(n)s", n=number)
    publish_now(USING)
    assert (alarm()["kind"], str(number) in alarm()["text"]) == ("altered", True)
    assert "altered" in nothing_ends(a_due_row())


class Databases:
    """Several databases with one log, each speaking in its turn."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch, self.heard = patch, dict[str, Any]()

    def speak(self, name: str, farewell: str = "") -> str:
        self.patch.setattr(place, "_heard", self.heard.setdefault(name, {}))
        return place.speak(USING, self.store, {"name": name}, farewell)

    @property
    def store(self) -> ProofStore:
        log = read_log(USING)
        assert log
        return store_of(options(), log)


def test_a_clone_is_told_from_a_failover(monkeypatch: pytest.MonkeyPatch) -> None:
    published()
    databases = Databases(monkeypatch)
    monkeypatch.setattr(place, "SILENT", 0.0)
    assert databases.speak("production") == ""
    monkeypatch.setattr(place, "SILENT", 60.0)
    assert databases.speak("staging") == "waits"
    assert databases.speak("staging") == "waits"
    assert databases.speak("production") == ""
    assert databases.speak("staging") == "cloned"
    assert databases.speak("production") == ""
    monkeypatch.setattr(place, "SILENT", 0.0)
    assert databases.speak("promoted") == ""  # production has been silent
    monkeypatch.setattr(place, "SILENT", 60.0)
    assert databases.speak("promoted") == ""
    assert databases.speak("production") == "waits"  # it is back, and finds another
    assert databases.speak("promoted") == ""
    assert databases.speak("production") == "cloned"


def test_who_has_the_farewell_need_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was restarted goes on at once; a copy of before does not take its place."""
    published()
    databases = Databases(monkeypatch)
    assert databases.speak("production") == ""
    place.leave(databases.store, {"name": "copy"}, "no")  # the last word is not its own
    assert databases.speak("restarted", "no") == "waits"
    place.leave(databases.store, {"name": "production"}, "adieu")
    assert databases.speak("copy") == "waits"
    assert databases.speak("copy", "older") == "waits"
    assert databases.speak("restarted", "adieu") == ""
    assert databases.speak("copy", "adieu") == "cloned"  # made since, and too late


def test_a_worker_that_stops_says_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    published()
    work.Publisher(USING).leave()
    log, row = read_log(USING), a_due_row()
    assert log
    assert log.farewell
    monkeypatch.setattr("purge.proof.detect.place_of", lambda using: {"started": "anew"})
    gate.forget(USING)
    it_ends(row)


def test_a_clone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    published()
    row = a_due_row()
    databases = Databases(monkeypatch)
    monkeypatch.setattr(place, "SILENT", 0.0)
    databases.speak("production")
    monkeypatch.setattr(place, "SILENT", 60.0)
    monkeypatch.setattr(place, "_heard", {})
    assert "another database" in nothing_ends(row)
    assert alarm() == {}
    own = place._heard
    assert databases.speak("production") == ""
    monkeypatch.setattr(place, "_heard", own)
    assert "cloned" in nothing_ends(row)
    assert alarm()["kind"] == "cloned"


@pytest.mark.slow
def test_hundred_failovers_and_reconnects_are_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server that takes over finds the one before it silent."""
    published()
    chance = random.Random(15)
    monkeypatch.setattr(place, "SILENT", 0.0)
    for number in range(100):
        if chance.random() < 0.5:
            here = {"timeline": number, "started": chance.random()}
            monkeypatch.setattr("purge.proof.detect.place_of", lambda using, here=here: here)
        if chance.random() < 0.1:
            write()
            publish_now(USING)
        gate.forget(USING)
        assert gate.why_closed(USING, files=True) == ""
        assert alarm() == {}


def test_nothing_is_asked_where_the_setting_is_off(
    django_assert_num_queries: Any, settings: Any
) -> None:
    settings.LIFECYCLE_PROOF = None
    with django_assert_num_queries(0):
        assert gate.why_closed(USING, files=True) == ""


def test_a_decision_is_kept_for_a_minute(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published()
    monkeypatch.setattr(gate, "TRUSTED", 60.0)
    assert gate.why_closed(USING) == ""
    with django_assert_num_queries(1):
        assert gate.why_closed(USING) == ""


def test_people_are_told_once(back_up: Any, settings: Any, mailoutbox: list[Any]) -> None:
    settings.ADMINS = ADMINS
    published()
    restore = back_up()
    published(5)
    restore()
    row = a_due_row()
    assert state() is State.RESTORED
    told: list[Any] = []

    def receive(sender: Any, **said: Any) -> None:
        told.append((said["cause"], said["count"]))

    signals.proof_alarm.connect(receive)
    for _ in range(2):
        watch(USING)
    assert told == [("restored", 5)]
    (mail,) = mailoutbox
    assert "restored: the database was restored from a backup: the last 5" in mail.body
    shown = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("lifecycle", "status", "tokens", stdout=shown)
    assert "restored since" in shown.getvalue()
    assert Token.objects.filter(pk=row.pk).exists()


@pytest.mark.slow
def test_how_many_endings_are_undone(back_up: Any) -> None:
    """Of the published entries: endings of rows, not other events; and as of when the backup is."""
    it_ends(a_due_row())
    published(300)
    restore, size = back_up(), read_head().size
    Token.objects.bulk_create(Token(expires_at=LONG_AGO) for _ in range(7))
    run_until_idle()
    published(3)
    head = read_head()
    log = read_log(USING)
    assert log
    found = count_undone(store_of(options(), log), head, size)
    assert (found.endings, found.rows, found.whole) == (1, 7, True)
    restore()
    assert state() is State.RESTORED
    assert f"1 ending of 7 rows undone; it is as of {found.as_of}" in alarm()["text"]
    assert found.as_of


def test_what_was_undone_is_said_where_it_cannot_be_read(back_up: Any, folder: Path) -> None:
    published()
    restore = back_up()
    published()
    restore()
    for path in (folder / "tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(b"x")
    assert state() is State.RESTORED
    assert "which endings are undone cannot be read" in alarm()["text"]


def test_an_altered_ledger_may_go_on(tmp_path: Path) -> None:
    """The alarm stands and is told; rows end all the same, where the site has chosen so."""
    published()
    (number,) = write()
    seal_all(USING)
    as_superuser("UPDATE lifecycle_event SET cause = 'x' WHERE id = %(n)s", n=number)
    publish_now(USING)
    row = a_due_row()
    with in_folder(tmp_path, altered="report"):
        it_ends(row)
        assert alarm()["kind"] == "altered"
