"""An archive that is gone for good: a person declares it lost; nothing says that it was erased."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import purge
from lifecycle.hooks import facts
from lifecycle.models import Event
from lifecycle.proof.readable import readable
from lifecycle.sealing import log as logs
from purge.archive.folder import ArchiveFolder
from purge.archive.refusals import Unreachable
from purge.certificates.make import certify
from purge.certificates.story import of_row
from purge.erasure.archived import rebuild
from purge.erasure.receipt import receipts
from purge.models import Archive, ArchiveErasure, ArchivePart
from purge.requests.tries import retry
from purge.rewriting.work import erase_in_archives
from tests.clock import pass_time
from tests.commands.documented import assert_documented
from tests.purge.archive.engine import manifests
from tests.purge.proof.support import ORIGIN, USING, in_folder, publish
from tests.purge.rewriting.lives import archive, archived, erase, labels, said, steps, verified
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "the bucket was emptied, ticket 7"


def lost(name: str, *words: str, actor: str = "jo") -> str:
    out = StringIO()
    call_command(
        *("archive", "lost", name, "--reason", WHY, "--actor", actor, "--yes", *words), stdout=out
    )
    return out.getvalue()


def told() -> list[tuple[str, str]]:
    """The steps and actors of declarations."""
    events = Event.objects.filter(kind="archive_lost").order_by("pk")
    return [(each.detail["step"], each.actor) for each in events]


def moved(folder: Path, to: str = "elsewhere") -> Path:
    """What was in the folder is somewhere else; another archive's folder is there."""
    (folder / to).mkdir()
    for path in (folder / "old").iterdir():
        path.rename(folder / to / path.name)
    return folder / to


def back(folder: Path, path: Path) -> None:
    for each in path.iterdir():
        each.rename(folder / "old" / each.name)


def again() -> None:
    pass_time(hours=2)
    erase_in_archives()


def test_an_erasure_ends_without_what_is_lost(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        (first,) = manifests(tmp_path)
        name = first["name"]
        rmtree(moved(tmp_path))
        archive(her, other)
        request = purge.request_erasure(her, "r1", grace=timedelta(0), actor="jo")
        erase_in_archives()
        assert "is not in folder" in ArchiveErasure.objects.get().waits_for
        assert f"{name} is missing; the ledger names it" in verified()
        assert "declared lost" in lost(name)
        assert told() == [("lost", "jo")]
        again()
        (done,) = said("done")
        assert (steps()[-1], done["lost"], done["rows"]) == ("done", [name], 3)
        (receipt,) = receipts("r1")
        assert receipt.archived_rows[0]["lost"] == [name]
        assert receipt.archived_rows[0]["archives"] != [name]
        words = receipt.as_text()
        assert f"declared lost, not erased: {name}" in words
        assert "3 rows erased, archives rewritten: 1" in words
        pass_time(days=1)
        retry()
        request.refresh_from_db()
        assert request.done_at is not None
        assert verified() == []
        assert labels(tmp_path) == [str(other.pk)] * 3


def test_it_is_listed_and_verified_as_lost(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)):
        (own,) = manifests(tmp_path)
        moved(tmp_path)
        lost(own["name"])
        out = StringIO()
        call_command("archive", "ls", "--prefix", "old/", stdout=out)
        assert f"{own['name']} was declared lost by jo on " in out.getvalue()
        assert WHY in out.getvalue()
        out = StringIO()
        call_command("archive", "ls", "--prefix", "old/", "--json", stdout=out)
        (listed,) = json.loads(out.getvalue())
        assert_documented("archive ls", [listed])
        assert (listed["name"], listed["lost"]["reason"]) == (own["name"], WHY)
        out = StringIO()
        call_command("archive", "verify", "--all", "--prefix", "old/", stdout=out)
        assert f"lost  {own['name']} was declared lost by jo" in out.getvalue()
        out = StringIO()
        call_command("archive", "verify", "--all", "--prefix", "old/", "--json", stdout=out)
        found = json.loads(out.getvalue())
        assert_documented("archive verify", found)
        assert [each["name"] for each in found["lost"]] == [own["name"]]
        (fact,) = (each for each in facts("default") if each.part == "Archives")
        assert (fact.problem, "Declared lost: 1." in fact.says) == (False, True)
        gone = purge.erase_archived("tokens", {"label": "1"}, "r9", actor="jo")
        assert list(gone.lost) == [own["name"]]


def test_what_is_there_is_not_lost(tmp_path: Path, settings: Any) -> None:
    """As a whole, or one file of it; where the store does not say; or somewhere else."""
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, _):
        (own,) = manifests(tmp_path)
        name = own["name"]
        with pytest.raises(CommandError, match="it is not lost"):
            lost(name)
        elsewhere = moved(tmp_path)
        (file,) = elsewhere.glob("*.gz")
        file.rename(tmp_path / "old" / file.name)
        with pytest.raises(CommandError, match="it is not lost"):
            lost(name)
        (tmp_path / "old" / file.name).rename(file)
        with pytest.MonkeyPatch.context() as patch:

            def refuse(self: ArchiveFolder, name: str, after: str = "") -> Any:
                raise Unreachable("nobody answers")

            patch.setattr(ArchiveFolder, "names", refuse)
            with pytest.raises(CommandError, match="nobody answers"):
                lost(name)
        with pytest.raises(Unreachable, match="is no folder: mount it"):
            ArchiveFolder(tmp_path / "none").kept("old/")
        settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path / "none")
        with pytest.raises(CommandError, match="was put into folder"):
            lost(name)
        settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
        for wrong, why in (("nothing", "no ledger"), (name[:-1], "Did you mean")):
            with pytest.raises(CommandError, match=why):
                lost(wrong)
        with pytest.raises(CommandError, match="Say why"):
            call_command("archive", "lost", name, "--actor", "jo", "--yes")
        assert told() == []
        lost(name)
        with pytest.raises(CommandError, match="was declared lost by jo"):
            lost(name)
        back(tmp_path, elsewhere)
        erase(her)
        erase_in_archives()
        assert told()[0] == ("lost", "jo")


def test_one_that_was_rewritten_is_not_lost(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, _):
        (old,) = manifests(tmp_path)
        erase(her)
        erase_in_archives()
        with pytest.raises(CommandError, match="was rewritten as"):
            lost(old["name"])


def test_an_open_erasure_looks_into_what_turns_up_again(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        (own,) = manifests(tmp_path)
        path = moved(tmp_path)
        erase(her)
        lost(own["name"])
        back(tmp_path, path)
        (problem,) = verified()
        assert "was declared lost by jo" in problem
        with pytest.raises(CommandError, match="was declared lost"):
            call_command("archive", "load", own["name"], "--prefix", "old/")
        erase_in_archives()
        assert told() == [("lost", "jo"), ("found", "")]
        assert "done" not in steps()
        again()
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert "lost" not in said("done")[0]
        assert labels(tmp_path) == [str(other.pk)] * 3
        assert verified() == []


def test_what_was_done_without_it_is_asked_again(tmp_path: Path, settings: Any) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        (own,) = manifests(tmp_path)
        path = moved(tmp_path)
        lost(own["name"])
        erase(her)
        erase_in_archives()
        assert steps() == ["asked", "done"]
        with pytest.raises(CommandError, match="is not there"):
            lost(own["name"], "--found")
        back(tmp_path, path)
        assert "1 erasure is looked for in it" in lost(own["name"], "--found", actor="mo")
        assert told() == [("lost", "jo"), ("found", "mo")]
        assert receipts("r1")[0].archives_wait
        again()
        assert steps() == ["asked", "done", "asked", "rewritten", "gone", "done"]
        assert labels(tmp_path) == [str(other.pk)] * 3
        assert not receipts("r1")[0].archives_wait
        assert "declared lost" not in receipts("r1")[0].as_text()
        with pytest.raises(CommandError, match="nobody has declared"):
            lost(manifests(tmp_path)[0]["name"], "--found")


def test_two_persons(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_TWO_PERSON = True
    with archived(tmp_path, settings, formats=("jsonl",)):
        (own,) = manifests(tmp_path)
        path = moved(tmp_path)
        assert "wants a second person" in lost(own["name"])
        assert told() == [("declared", "jo")]
        assert "is missing" in verified()[0]
        with pytest.raises(CommandError, match="somebody other than jo"):
            lost(own["name"], actor=" JO")
        back(tmp_path, path)
        with pytest.raises(CommandError, match="it is not lost"):
            lost(own["name"], actor="mo")
        path.rmdir()
        moved(tmp_path)
        assert "declared lost" in lost(own["name"], actor="mo")
        assert told() == [("declared", "jo"), ("lost", "mo")]
        assert verified() == []


def test_two_roles(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_TWO_PERSON = "roles"
    with archived(tmp_path, settings, formats=("jsonl",)):
        (own,) = manifests(tmp_path)
        moved(tmp_path)
        lost(own["name"])
        with pytest.raises(CommandError, match="another role of the database"):
            lost(own["name"], actor="mo")
        event = Event.objects.get(kind="archive_lost")
        assert event.detail["role"]
        settings.LIFECYCLE_TWO_PERSON = True
        lost(own["name"], actor="mo")
        assert told()[-1] == ("lost", "mo")


def test_a_declaration_of_long_ago_wants_a_new_one(tmp_path: Path, settings: Any) -> None:
    """A second person confirms what the first has just looked at."""
    settings.LIFECYCLE_TWO_PERSON = True
    with archived(tmp_path, settings, formats=("jsonl",)):
        (own,) = manifests(tmp_path)
        moved(tmp_path)
        lost(own["name"])
        pass_time(days=8)
        assert "wants a second person" in lost(own["name"], actor="mo")
        assert told() == [("declared", "jo"), ("declared", "mo")]


def test_a_restored_database_learns_it_from_the_ledger(tmp_path: Path, settings: Any) -> None:
    """Rows that are back go into no archive that is lost: its parts do not count any more."""
    with archived(tmp_path, settings, formats=("jsonl",)):
        (own,) = manifests(tmp_path)
        moved(tmp_path)
        lost(own["name"])
        Archive.objects.filter(name=own["name"]).update(state=Archive.State.VERIFIED)
        found = Archive.objects.get(name=own["name"])
        ArchivePart.objects.create(
            archive=found, number=1, keys=["1"], low="1", high="1", versions=None, hashes=None
        )
        rebuild("default")
        found.refresh_from_db()
        assert (found.state, found.parts.count()) == (Archive.State.DONE, 0)
        assert verified() == []


def test_the_certificate_says_so(tmp_path: Path, settings: Any) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path), archived(None, settings, formats=("jsonl",)) as (her, _):
        key = str(her.pk)
        name = Archive.objects.get().name
        moved(tmp_path)
        lost(name)
        erase(her)
        erase_in_archives()
        publish()
        text = readable(certify(of_row(Person, key, USING), USING))
        assert f"declared lost, not erased: {name}" in text
