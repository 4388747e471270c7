"""A worker that is killed at each step: nothing is lost, nothing left, the next one does it."""

from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from django.core.management import call_command

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.testing import set_clock
from purge import runner
from purge.archive.catalog import archive as manifest_of
from purge.archive.destinations import destination
from purge.archive.loading.prepare import prepare
from purge.archive.records import sha256_of
from purge.erasure.archived import rebuild
from purge.models import Archive, ArchiveErasure, ArchivePart, Rewrite
from purge.rewriting.files import FileArchives
from purge.rewriting.work import erase_in_archives
from purge.runner import run_due
from tests.purge.archive.engine import PAST, manifests, tokens
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
from tests.support import sampled
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Nothing of the package catches it."""


#: where it is killed: an attribute of a class or module, and whether before or after it
PLACES = [
    ("purge.archive.storage.put", "before"),
    ("purge.archive.storage.put", "after"),
    ("purge.archive.storage.put_text", "before"),
    ("purge.archive.storage.put_text", "after"),
    ("purge.rewriting.rewrite._switch", "before"),
    ("purge.rewriting.rewrite._said", "before"),
    ("purge.rewriting.rewrite._switch", "after"),
    ("purge.rewriting.files.FileArchives.sweep", "before"),
    ("purge.archive.folder.ArchiveFolder.erase", "after"),
    ("purge.rewriting.files.FileArchives.sweep", "after"),
    ("purge.rewriting.work._close", "before"),
]


@pytest.mark.parametrize(("place", "when"), sampled(PLACES, 3))
def test_killed(
    place: str, when: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, settings) as (her, other):
        erase(her)
        with monkeypatch.context() as patch:
            real: Any = resolve_name(place)

            def killed(*args: Any, **kwargs: Any) -> None:
                if when == "after":
                    real(*args, **kwargs)
                raise Killed

            patch.setattr(place, killed)
            with pytest.raises(Killed):
                erase_in_archives()
        assert verified() == []
        assert len(labels(tmp_path)) in (3, 6, 9)
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 3
        assert (steps()[-1], steps().count("rewritten"), steps().count("gone")) == ("done", 1, 1)
        assert len(files(tmp_path)) == 3
        assert verified() == []
    assert not Rewrite.objects.exists()


def test_an_archive_of_which_no_row_is_left(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, rows=1) as (her, _):
        erase(her)
        erase_in_archives()
        assert (files(tmp_path), verified()) == ([], [])
        (told,) = said("rewritten")
        assert (told["fewer"], told["rows"], "archive" in told) == (1, 0, False)
        assert steps()[-1] == "done"
        archive(*_others())
        erase_in_archives()
        assert len(labels(tmp_path)) == 6


def _others() -> Any:
    from tests.zoo.models import Person

    return [Person.objects.create(name=name) for name in ("cora", "dora")]


@pytest.mark.slow
def test_a_second_person_and_a_second_archive(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, other):
        archive(her, other)
        erase(her)
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 6
        erase(other, "r2")
        erase_in_archives()
        assert (labels(tmp_path), files(tmp_path), verified()) == ([], [], [])
        names = [each["replaces"] for each in said("rewritten")]
        assert len(set(names)) == 4
        assert sum(each["fewer"] for each in said("rewritten")) == 12


@pytest.mark.slow
def test_no_name_comes_again(tmp_path: Path, settings: Any) -> None:
    """An archive that is made in the same second, and one that is rewritten three times."""
    with archived(tmp_path, settings, rows=0) as (her, other):
        set_clock(PAST + timedelta(days=1))
        people = [her, other, *_others()]
        for token, person in zip(tokens(4), people, strict=True):
            Token.objects.filter(pk=token.pk).update(label=str(person.pk))
        run_due()
        for number, person in enumerate(people[:3]):
            erase(person, f"r{number}")
            erase_in_archives()
        archive(*people[2:], rows=4)
        names = [each["replaces"] for each in said("rewritten")]
        assert len(set(names)) == len(names) == 3
        assert not {each["name"] for each in manifests(tmp_path)} & set(names)
        assert (verified(), len(labels(tmp_path))) == ([], 5)


@pytest.mark.slow
def test_rows_that_had_not_gone_yet_go_into_a_further_archive(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive was read back, and its rows are still there when it is rewritten."""
    with archived(tmp_path, settings, rows=0) as (her, other):
        made = tokens(4)
        for number, token in enumerate(made):
            Token.objects.filter(pk=token.pk).update(label=str((her, other)[number % 2].pk))
        real = runner.archiving.archive_due

        def only_archive(*args: Any) -> None:
            real(*args)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(runner.archiving, "archive_due", only_archive)
            with pytest.raises(Killed):
                run_due()
        assert Archive.objects.get().state == Archive.State.VERIFIED
        assert ArchivePart.objects.exists()
        erase(her)
        erase_in_archives()
        assert not ArchivePart.objects.exists()
        assert Token.objects.count() == 4
        assert labels(tmp_path) == [str(other.pk)] * 2
        run_due()
        assert not Token.objects.exists()
        assert labels(tmp_path) == sorted([str(her.pk)] * 2 + [str(other.pk)] * 4)
        ArchiveErasure.objects.update(again_at=None)
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 4


def _stop(*args: Any, **kwargs: Any) -> Any:
    raise Killed


def test_a_load_that_was_begun_before(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings) as (her, _):
        (old,) = manifests(tmp_path)
        where = destination()
        load = prepare(manifest_of(where, ["old/"], old["name"]), where, [])
        rows = load._rows
        erase(her)

        def and_rewritten(copy: Any) -> Any:
            found = list(rows(copy))
            erase_in_archives()
            return iter(found)

        object.__setattr__(load, "_rows", and_rewritten)
        with pytest.raises(LifecycleError, match="was rewritten without some rows, by event"):
            list(load.run())
        assert not Token.objects.exists()


@pytest.mark.slow
def test_what_is_left_to_do_is_made_of_the_ledger(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, settings) as (her, other):
        archive(her, other)
        erase(her)
        with monkeypatch.context() as patch:
            patch.setattr(FileArchives, "sweep", _stop)
            with pytest.raises(Killed):
                erase_in_archives()
        before = set(ArchiveErasure.objects.values_list("event", "erasure", "policy"))
        ArchiveErasure.objects.all().delete()
        Rewrite.objects.all().delete()
        call_command("lifecycle", "rebuild")
        assert set(ArchiveErasure.objects.values_list("event", "erasure", "policy")) == before
        assert Rewrite.objects.count() == 2
        erase_in_archives()
        assert labels(tmp_path) == [str(other.pk)] * 6
        assert (len(files(tmp_path)), steps().count("gone")) == (6, 2)
        rebuild("default")
        assert (ArchiveErasure.objects.count(), Rewrite.objects.count()) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("is_lost", [False, True])
def test_old_files_are_looked_for_where_they_were_put(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    """Nothing is said to be gone because it is not in a folder that is another one by now."""
    with archived(tmp_path, settings) as (her, other):
        erase(her)
        with monkeypatch.context() as patch:
            patch.setattr(FileArchives, "sweep", _stop)
            with pytest.raises(Killed):
                erase_in_archives()
        before = Rewrite.objects.get().old
        if is_lost:
            Rewrite.objects.all().delete()
        call_command("lifecycle", "rebuild")
        assert Rewrite.objects.get().old == ([] if is_lost else before)
        settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path / "another")
        erase_in_archives()
        assert steps() == ["asked", "rewritten"]
        assert "and not in" in Rewrite.objects.get().error
        settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
        Rewrite.objects.update(again_at=None)
        ArchiveErasure.objects.update(again_at=None)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert labels(tmp_path) == [str(other.pk)] * 3


def restored() -> None:
    """The ledger goes back to the moment before the first rewriting."""
    rewritten = Event.objects.filter(kind="archive_erased", detail__step="rewritten")
    first = rewritten.earliest("pk")
    fetch("default", "SET session_replication_role = replica")
    fetch("default", "DELETE FROM lifecycle_event WHERE id >= %(id)s", {"id": first.pk})
    fetch("default", "RESET session_replication_role")


@pytest.mark.slow
@pytest.mark.plants(3)
@pytest.mark.parametrize("forged", [False, True])
def test_a_ledger_of_before_finds_it_rewritten(tmp_path: Path, settings: Any, forged: bool) -> None:
    """The database goes back, the files do not. What somebody else has put there is no word."""
    with archived(tmp_path, settings) as (her, other):
        erase(her)
        archives = list(Archive.objects.values())
        erase_in_archives()
        restored()
        Archive.objects.all().delete()
        Archive.objects.bulk_create(Archive(**each) for each in archives)
        assert verified()
        (path,) = tmp_path.rglob("*.manifest.json")
        if forged:
            path.write_text(path.read_text().replace('"rows": 3', '"rows": 4', 1))
        rebuild("default")
        erase_in_archives()
        if forged:
            assert "this site has not signed that" in ArchiveErasure.objects.get().waits_for
            assert (steps(), bool(verified())) == (["asked"], True)
            return
        (told,) = said("rewritten")
        assert (told["found"], told["fewer"], told["rows"]) == (True, 0, 3)
        assert told["manifest"] == sha256_of(path.read_text())
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert verified() == []
        assert labels(tmp_path) == [str(other.pk)] * 3
