"""What stops rows from leaving archives: nothing changes, why is shown, it goes on later."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import purge
from lifecycle import hold, release, restore
from lifecycle.hooks import facts, standstills, unanswered
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import Event, PolicyState
from purge.archive.folder import ArchiveFolder
from purge.archive.refusals import Unreachable
from purge.archiving.lock import archive_lock
from purge.erasure.receipt import receipts
from purge.models import ArchiveErasure, Rewrite
from purge.requests.tries import retry
from purge.rewriting.work import erase_in_archives
from purge.runner import run_due
from tests.clock import pass_time
from tests.purge.archive.engine import manifests
from tests.purge.rewriting.lives import (
    archive,
    archived,
    erase,
    files,
    labels,
    said,
    steps,
    verified,
)
from tests.zoo.models import Person, Token

pytestmark = pytest.mark.django_db(transaction=True)


def waits() -> str:
    """What the only erasure waits for."""
    return ArchiveErasure.objects.get().waits_for


def again() -> None:
    """The next try, whose time has come."""
    pass_time(hours=2)
    erase_in_archives()


@pytest.mark.slow
def test_a_hold_on_the_policy(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        before = files(tmp_path)
        erase(her)
        hold("tokens", reason="court", reference="CASE-1")
        erase_in_archives()
        assert files(tmp_path) == before
        assert steps() == ["asked"]
        assert "CASE-1" in waits()
        assert "archives of tokens wait for Held by hold" in receipts("r1")[0].archives_wait
        assert any("CASE-1" in each for each in standstills("default")["tokens"])
        assert any(each.problem and "CASE-1" in each.says for each in facts("default"))
        release("tokens")
        again()
        assert steps() == ["asked", "rewritten", "gone", "done"]


@pytest.mark.slow
def test_a_hold_after_the_switch_keeps_the_old_files(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, settings) as (her, _):
        (old,) = manifests(tmp_path)
        erase(her)
        with monkeypatch.context() as patch:
            patch.setattr("purge.rewriting.work.sweep", lambda task: hold("tokens"))
            erase_in_archives()
        erase_in_archives()
        assert steps() == ["asked", "rewritten"]
        assert f"{old['name']}.manifest.json" in files(tmp_path)
        release("tokens")
        again()
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert not any(each.startswith(f"{old['name']}.") for each in files(tmp_path))


@pytest.mark.slow
def test_a_row_that_was_loaded_back_is_held(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, other):
        (old,) = manifests(tmp_path)
        before = files(tmp_path)
        call_command("archive", "load", old["name"], "--prefix", "old/")
        erase(her)
        erase_in_archives()
        assert "Held by hold" in waits()
        assert (files(tmp_path), steps()) == (before, ["asked"])
        assert not Rewrite.objects.exists()
        call_command("lifecycle", "release", "--reference", old["name"], "--actor", "c")
        Token.objects.all().delete()
        again()
        assert labels(tmp_path) == [str(other.pk)] * 3


def test_rows_of_another_one_that_has_the_key_by_now_stay(tmp_path: Path, settings: Any) -> None:
    """A key that is given again: after a restore the sequence goes back too."""
    with archived(tmp_path, settings) as (her, other):
        erase(her)
        archive(Person.objects.create(pk=her.pk, name="cleo"), other)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone"]
        assert "another one has its key by now" in waits()
        assert labels(tmp_path) == sorted([str(her.pk)] * 3 + [str(other.pk)] * 6)


def test_a_pause(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        erase(her)
        pause("tokens", "jo", "default")
        erase_in_archives()
        assert (waits(), steps()) == ("tokens is paused: nothing ends.", ["asked"])
        resume("tokens", "jo", 0, "default")
        again()
        assert steps()[-1] == "done"


@pytest.mark.slow
def test_a_store_that_does_not_remove(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new archive counts; what remains is shown, late after its time, and gone at last."""

    def refuse(self: ArchiveFolder, name: str) -> None:
        raise Unreachable(f"{name} is locked until 2027-01-01.")

    with archived(tmp_path, settings) as (her, other):
        (old,) = manifests(tmp_path)
        request = purge.request_erasure(her, "r1", grace=timedelta(0), actor="jo")
        assert request.done_at is None
        with monkeypatch.context() as patch:
            patch.setattr(ArchiveFolder, "erase", refuse)
            erase_in_archives()
            assert steps() == ["asked", "rewritten"]
            assert "is locked until 2027" in waits()
            assert (verified(), unanswered("default")) == ([], [])
            with pytest.raises(CommandError, match="was rewritten as"):
                call_command("archive", "load", old["name"], "--prefix", "old/")
            pass_time(days=8)
            erase_in_archives()
        late = verified()
        assert any(each.startswith(f"old/{old['name']}.") for each in late)
        assert all("was rewritten as" in each for each in late)
        assert ["LATE" in each for each in unanswered("default")] == [True]
        with pytest.raises(CommandError, match="not answered"):
            call_command("lifecycle", "verify", "--promise", "5")
        pass_time(days=1)
        retry()
        request.refresh_from_db()
        assert (request.done_at, "locked until" in request.waits_for) == (None, True)
        again()
        retry()
        request.refresh_from_db()
        assert request.done_at is not None
        assert (verified(), unanswered("default")) == ([], [])
        assert labels(tmp_path) == [str(other.pk)] * 3


def test_a_grace_is_waited_for_and_a_restore_ends_it(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        purge.erase(her, reference="r1", actor="jo")
        erase_in_archives()
        assert (steps(), waits()) == (["asked"], "the end of the row itself")
        assert unanswered("default") == []
        restore(Person.objects.get(pk=her.pk))
        again()
        assert steps() == ["asked", "withdrawn"]
        assert len(labels(tmp_path)) == 6


@pytest.mark.slow
def test_rows_that_are_still_in_their_table_come_later(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, other):
        key = str(her.pk)
        late = Token.objects.create(label=key)
        erase(her)
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 3
        assert "still in zoo.token" in waits()
        Token.objects.filter(pk=late.pk).update(expires_at="2026-01-01T00:00:00Z")
        pass_time(hours=3)
        run_due()
        assert labels(tmp_path).count(key) == 1
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 3
        assert steps()[-1] == "done"


@pytest.mark.slow
def test_an_archive_that_is_not_what_was_written(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, other):
        (path,) = tmp_path.rglob("*.txt")
        body = path.read_bytes()
        path.write_bytes(body + b"x\n")
        erase(her)
        erase_in_archives()
        assert "is not what was written" in waits()
        assert (steps(), Rewrite.objects.count()) == (["asked"], 0)
        assert not any("_r1" in each for each in files(tmp_path))
        path.write_bytes(body)
        again()
        assert labels(tmp_path) == [str(other.pk)] * 3


@pytest.mark.slow
def test_one_process_at_a_time(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        erase(her)
        with archive_lock("tokens", "default") as check:
            assert check
            assert erase_in_archives() == 1
        assert steps() == ["asked"]
        assert erase_in_archives() == 0


@pytest.mark.slow
def test_an_archive_without_the_columns(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, erased_with={"owner": "zoo.Person"}) as (her, _):
        erase(her)
        erase_in_archives()
        assert "has no column owner" in waits()
        assert said("rewritten") == []


@pytest.mark.slow
def test_a_policy_that_no_code_declares_any_more(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        erase(her)
        PolicyState.objects.filter(name="tokens").update(state="removed")
        (fact,) = (each for each in facts("default") if each.part == "Erased in archives")
        assert fact.problem
        assert "no code declares the policy any more" in fact.says
        PolicyState.objects.filter(name="tokens").update(state="enabled")
        again()
        assert steps()[-1] == "done"


def test_what_was_asked_under_an_earlier_name(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, settings) as (her, other):
        erase(her)
        ArchiveErasure.objects.update(policy="former")
        names = {"tokens": ["tokens", "former"]}
        for module in ("work", "task"):
            monkeypatch.setattr(
                f"purge.rewriting.{module}.names_of", lambda own, _: names.get(own.name, [])
            )
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 3
        events = Event.objects.filter(kind="archive_erased").order_by("pk")
        assert [each.policy for each in events] == ["tokens", "former", "former", "former"]


@pytest.mark.slow
def test_an_error_of_any_kind_is_noted(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, settings) as (her, _):
        erase(her)
        with monkeypatch.context() as patch:
            patch.setattr("purge.rewriting.files.look", lambda *_: {}["a value"])
            erase_in_archives()
        assert waits().endswith(": KeyError")
        assert any("KeyError" in each for each in standstills("default")["tokens"])
        again()
        assert steps()[-1] == "done"
