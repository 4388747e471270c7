"""A recovery that is broken off, meets another one, or finds something else in the store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from lifecycle.db.connection import fetch
from lifecycle.models import Event
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.management import recovery as command
from purge.proof import gate
from purge.proof.detect import State
from purge.proof.work import publish_now
from purge.recovery import ends, take
from purge.recovery import recover as steps
from purge.recovery.lock import alone
from purge.replay import plan, settle
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.proof.support import ORIGIN, USING, a_due_row, nothing_ends, state
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_from_proof import FUTURE, RECOVER, before, ended_rows, since, whole
from tests.purge.recovery.test_from_proof import written_on as write_on
from tests.support import Background, session
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What no code catches."""


@contextmanager
def killed(where: Any, name: str, after: int, before: bool = False) -> Iterator[None]:
    """Kills what calls a function for the n-th time: before it runs, or once it has."""
    own, calls = getattr(where, name), 0

    def call(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == after:
            raise Killed
        found = own(*given, **named)
        if calls == after:
            raise Killed
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, call)
        yield


def test_killed_at_each_step(site: Backups) -> None:
    """Each run comes a step further than the one before; meanwhile nothing ends."""
    before()
    restore = site.template()
    since()
    for _ in range(3):  # a bundle each
        Token.objects.create(expires_at=FUTURE)
        publish_now(USING)
    was = ended_rows()
    restore()
    write_on()
    ways: list[tuple[Any, str, int, bool]] = [
        (command, "recover", 1, True), (steps, "rejoin", 1, True), (steps, "rejoin", 1, False),
        (take, "_take", 1, False), (take, "_take", 1, False), (take, "append", 1, True),
        (steps, "take", 1, False), (steps, "rebuild", 1, False), (steps, "_project", 1, False),
        (command, "await_silence", 1, False), (plan, "find", 1, False),
        (settle, "judge", 1, False), (plan, "settle_all", 2, False),
        (command, "spare", 1, True), (ends, "lock_keys", 1, False), (command, "finish", 1, True),
    ]  # fmt: skip
    sizes = []
    for way in ways:
        with killed(*way), pytest.raises(Killed):
            manage(*RECOVER)
        sizes.append(read_log(USING).size)  # type: ignore[union-attr]
        assert state() in (State.RESTORED, State.FORKED)
        assert gate.why_closed(USING) != ""
    assert sizes == sorted(sizes)
    assert len(set(sizes)) >= 4
    manage(*RECOVER)
    new = {pk: email for pk, email in ended_rows()[3].items() if pk not in was[3] and not email}
    assert [ended_rows()[1], ended_rows()[3]] == [was[1], was[3] | new]
    assert Event.objects.filter(kind="log_recovered").count() == 1
    whole()


@pytest.mark.slow
@pytest.mark.parametrize("more", [2, 40], ids=["shorter", "longer"])
def test_forked(site: Backups, more: int) -> None:
    """Restored, and written and sealed on, as by a worker that could not reach the store."""
    before()
    restore = site.template()
    since()
    was = ended_rows()
    restore()
    tokens = Token.objects.bulk_create(Token(label="on", expires_at=FUTURE) for _ in range(2))
    for _ in range(more):
        Token.objects.filter(pk=tokens[0].pk).update(expires_at=FUTURE + timedelta(hours=more))
        more += 1
    seal_all(USING)
    assert "forked" in nothing_ends(a_due_row())
    manage(*RECOVER)
    assert was[1:] == ended_rows()[1:]
    whole()


@pytest.mark.slow
def test_two_at_once_and_others(site: Backups) -> None:
    before()
    restore = site.template()
    since()
    restore()
    with alone(USING, online=True):
        said = Background(lambda: fails(*RECOVER, "--online")).result()
        assert "Another recovery of this database is under way" in said
    with session() as other:
        other.execute("SELECT 1")
        assert "1 other sessions use this database" in fails(*RECOVER)
        manage(*RECOVER, "--online")
    whole()


def changed_bundle(folder: Path) -> str:
    """One byte of the newest bundle of events is another."""
    path = sorted((folder / "events").iterdir())[-1]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return "was encrypted by another key, or changed"


def lost_bundle(folder: Path) -> str:
    sorted((folder / "events").iterdir())[-1].unlink()
    return "has not all events from"


def changed_entries(folder: Path) -> str:
    files = (path for path in (folder / "tile/entries").rglob("*") if path.is_file())
    path = max(files, key=lambda each: each.stat().st_mtime_ns)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return "give another root"


@pytest.mark.parametrize("spoil", [changed_bundle, lost_bundle, changed_entries])
def test_nothing_is_put_back_that_was_not_signed(
    site: Backups, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore()
    folder = tmp_path / "store/proof" / ORIGIN / "1"
    said = spoil(folder)
    found = Event.objects.count()
    assert said in fails(*RECOVER)
    assert Event.objects.count() == found
    assert state() is State.RESTORED


def test_the_setting_is_off(settings: Any) -> None:
    settings.LIFECYCLE_PROOF = None
    assert "LIFECYCLE_PROOF is not set" in fails(*RECOVER)


def test_nothing_is_missing() -> None:
    publish_now(USING)
    count = Event.objects.count()
    manage(*RECOVER)
    assert Event.objects.count() == count


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("purge", "--from-proof"), "--from-proof needs --replay"),
        (("purge", "--replay", "--online"), "--online needs --from-proof"),
        ((*RECOVER, "--policy", "tokens"), "--policy cannot be combined"),
        ((*RECOVER, "--since", "2026-01-01"), "--since cannot be combined"),
        ((*RECOVER, "--online", "--untouched"), "cannot be combined with --untouched"),
    ],
)
def test_what_has_no_meaning_is_refused(words: tuple[str, ...], said: str) -> None:
    assert said in fails(*words)


@pytest.mark.slow
def test_a_later_log_is_refused(site: Backups) -> None:
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    older = site.template()
    restore()
    assert state() is State.RESTORED
    manage("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    publish_now(USING)
    older()
    assert "went on as example.org/ledger/2" in fails(*RECOVER)


@pytest.mark.slow
def test_a_key_is_not_given_again(site: Backups) -> None:
    """Also of a row that was written and went since the backup."""
    publish_now(USING)
    restore = site.template()
    row = Token.objects.create(expires_at=timezone.now())
    row.delete()
    key = fetch(USING, "SELECT max(lower(subjects_bigint[1]::text)::bigint) FROM lifecycle_event")
    publish_now(USING)
    restore()
    manage(*RECOVER)
    assert Token.objects.create(expires_at=FUTURE).pk > key[0][0]
    whole()
