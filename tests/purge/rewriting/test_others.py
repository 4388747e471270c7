"""An archive that cannot be rewritten stops no other: it is told, and nothing of it is recorded."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import purge
from lifecycle import hold
from purge.archive.folder import ArchiveFolder
from purge.archive.refusals import Unreachable
from purge.models import ArchiveErasure, Rewrite
from purge.rewriting.rewrite import rewrite
from purge.rewriting.work import erase_in_archives
from tests.clock import pass_time
from tests.commands.documented import assert_documented
from tests.purge.archive.engine import manifests
from tests.purge.rewriting.lives import archive, archived, erase, labels, said, steps
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)
Two = tuple[Person, Person, Path, str]


@pytest.fixture
def two(tmp_path: Path, settings: Any) -> Iterator[Two]:
    """Two persons, the file of the first of two archives that have rows of both, and its name."""
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        (path,) = tmp_path.rglob("*.jsonl.gz")
        (first,) = manifests(tmp_path)
        archive(her, other)
        yield her, other, path, first["name"]


def command(her: Person, *words: str) -> tuple[str, str]:
    """What the command says, and with what it ends."""
    out = StringIO()
    asked = ("erase", "tokens", "--where", f"label={her.pk}", "--reference", "r1", "--actor", "jo")
    with pytest.raises(CommandError) as ended:
        call_command("archive", *asked, *words, stdout=out)
    assert ended.value.returncode == 1
    return out.getvalue(), str(ended.value)


def spoiled(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def test_the_command_does_the_others(two: Two, tmp_path: Path) -> None:
    her, other, path, bad = two
    body = path.read_bytes()
    spoiled(path)
    told, end = command(her, "--yes")
    assert f"{bad}: NOT DONE: " in told
    assert "is not what was written" in told
    assert "3 rows in 1 archives" in told
    assert end.startswith("1 archive was not done: rows may still be in it.")
    assert steps() == ["rewritten", "gone"]
    assert bad not in [each["replaces"] for each in said()]
    assert not Rewrite.objects.exists()
    path.write_bytes(body)
    done = purge.erase_archived("tokens", {"label": str(her.pk)}, "r1", actor="jo")
    assert (dict(done.archives), done.failed) == ({bad: 3}, {})
    assert labels(tmp_path) == [str(other.pk)] * 6


def test_it_says_so_before_it_asks_and_to_programs(two: Two, tmp_path: Path) -> None:
    her, _, path, bad = two
    spoiled(path)
    told, _ = command(her, "--dry-run")
    assert f"{bad}: CANNOT BE DONE: " in told
    assert "3 rows would go" in told
    told, _ = command(her, "--yes", "--json")
    found = json.loads(told)
    assert_documented("archive erase", found)
    assert list(found["failed"]) == [bad]
    told, _ = command(her, "--dry-run")
    assert "0 rows in 0 archives" in told


def test_an_archived_row_that_is_held_keeps_its_archive_only(two: Two, tmp_path: Path) -> None:
    her, other, _, bad = two
    call_command("archive", "load", bad, "--prefix", "old/")
    told, _ = command(her, "--yes")
    assert f"{bad}: NOT DONE: Held by hold" in told
    assert labels(tmp_path) == sorted([str(her.pk)] * 3 + [str(other.pk)] * 6)


def test_a_hold_on_the_policy_meanwhile_keeps_the_rest(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done before it is told all the same."""
    her, _, _, first = two
    monkeypatch.setattr("purge.rewriting.ask.rewrite", held_after(rewrite))
    done = purge.erase_archived("tokens", {"label": str(her.pk)}, "r1", actor="jo")
    assert dict(done.archives) == {first: 3}
    assert len(done.failed) == 1
    assert "CASE-1" in str(done.failed)
    assert "CASE-1" in str(done.left)


def held_after(real: Any) -> Any:
    """Rewriting, of which the first is followed by a hold."""

    def held(*args: Any, **options: Any) -> Any:
        made = real(*args, **options)
        hold("tokens", reason="court", reference="CASE-1")
        return made

    return held


@pytest.mark.parametrize("error", [OSError(5, "eio"), Unreachable("denied"), KeyError("a value")])
def test_a_worker_does_the_others(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever it is: an object that a store refuses, a folder's error, one of the code's own."""
    her, other, path, bad = two
    read = ArchiveFolder.read

    def broken(self: ArchiveFolder, name: str) -> Iterator[bytes]:
        if name.endswith(path.name):
            raise error
        return read(self, name)

    erase(her)
    with monkeypatch.context() as patch:
        patch.setattr(ArchiveFolder, "read", broken)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone"]
        assert bad in (waits := ArchiveErasure.objects.get().waits_for)
        assert "a value" not in waits
    pass_time(hours=2)
    erase_in_archives()
    assert steps()[3:] == ["rewritten", "gone", "done"]
    assert labels(tmp_path) == [str(other.pk)] * 6


def test_a_destination_that_answers_nothing_is_asked_once(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    her = two[0]
    erase(her)
    asked: list[str] = []

    def broken(self: ArchiveFolder, name: str, *_: str) -> Any:
        asked.append(name)
        raise Unreachable("nobody answers")

    for method in ("read", "names"):
        monkeypatch.setattr(ArchiveFolder, method, broken)
    erase_in_archives()
    assert len(asked) == 2
    waits = ArchiveErasure.objects.get().waits_for
    assert waits.startswith("2 archives could not be done, the first: ")
    assert "nobody answers" in waits
    assert steps() == ["asked"]


def test_what_was_begun_and_cannot_be_removed_stops_nothing_else(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that locks what is put: it stays until then, is told, and others go on."""
    her, other, _, _ = two
    erase(her)

    def locked(self: ArchiveFolder, name: str) -> None:
        raise Unreachable(f"{name} is locked until 2027-01-01.")

    with monkeypatch.context() as patch:
        patch.setattr("purge.rewriting.rewrite._switch", lambda *_: spoil())
        patch.setattr(ArchiveFolder, "erase", locked)
        erase_in_archives()
    assert Rewrite.objects.filter(state="making").count() == 2
    with monkeypatch.context() as patch:
        patch.setattr("purge.rewriting.files.FileArchives.discard", lambda *_: spoil())
        pass_time(hours=2)
        erase_in_archives()
    assert steps().count("rewritten") == 2
    assert {each.error for each in Rewrite.objects.filter(state="making")} == {"locked"}
    pass_time(hours=2)
    erase_in_archives()
    assert labels(tmp_path) == [str(other.pk)] * 6
    assert not Rewrite.objects.exists()


def spoil() -> None:
    raise Unreachable("locked")
