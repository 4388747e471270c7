"""What cannot be read is no proof that nobody is in it."""

from pathlib import Path
from typing import Any

import pytest

import purge
from lifecycle.policy.registry import get_policy
from purge.archive.folder import ArchiveFolder
from purge.erasure.archived import rebuild
from purge.erasure.receipt import receipts
from purge.models import Archive, ArchiveErasure
from purge.rewriting.find import Finder
from purge.rewriting.work import erase_in_archives
from tests.clock import pass_time
from tests.purge.archive.engine import archiving, manifests
from tests.purge.rewriting.lives import archive, archived, erase, labels, said, steps, verified
from tests.purge.rewriting.test_kills import restored
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_archives_that_are_not_there_keep_an_erasure_open(tmp_path: Path, settings: Any) -> None:
    """As of a volume that is not mounted, or another store's bucket of the same name."""
    with archived(tmp_path, settings) as (her, other):
        (tmp_path / "old").rename(tmp_path / "elsewhere")
        erase(her)
        erase_in_archives()
        assert steps() == ["asked"]
        assert "is not in folder" in ArchiveErasure.objects.get().waits_for
        assert "is not in folder" in receipts("r1")[0].archives_wait
        (tmp_path / "elsewhere").rename(tmp_path / "old")
        pass_time(hours=2)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert labels(tmp_path) == [str(other.pk)] * 3


def test_nothing_is_done_before_the_row_has_ended(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next look comes due while the old files of others go: nobody has asked for its row."""
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    with archiving("tokens", erased_with={"label": "zoo.Person"}, formats=("jsonl",)):
        her, other = (Person.objects.create(name=name) for name in ("anna", "bert"))
        purge.erase(her, reference="r1", actor="jo")
        erase_in_archives()
        erase(other, "r2")
        monkeypatch.setattr("purge.rewriting.work.sweep", lambda task: pass_time(hours=2))
        erase_in_archives()
        assert [each["reference"] for each in said("done")] == ["r2"]
        assert ArchiveErasure.objects.get().reference == "r1"


@pytest.mark.slow
def test_one_that_is_missing_does_not_keep_others_from_losing_rows(
    tmp_path: Path, settings: Any
) -> None:
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        first = list((tmp_path / "old").iterdir())
        archive(her, other)
        for path in first:
            path.rename(tmp_path / path.name)
        erase(her)
        erase_in_archives()
        assert steps() == ["asked", "rewritten", "gone"]
        assert "is not in folder" in ArchiveErasure.objects.get().waits_for
        for path in tmp_path.glob("zoo_token_*"):
            path.rename(tmp_path / "old" / path.name)
        pass_time(hours=2)
        erase_in_archives()
        assert steps()[3:] == ["rewritten", "gone", "done"]
        assert labels(tmp_path) == [str(other.pk)] * 6


@pytest.mark.slow
@pytest.mark.plants(3)
@pytest.mark.parametrize("is_swept", [True, False])
def test_one_rewritten_twice_since_the_backup_is_found(
    tmp_path: Path, settings: Any, is_swept: bool
) -> None:
    """The second names the first, which no ledger knows any more, and the archive of the backup.
    What had not gone of the first goes."""
    with archived(tmp_path, settings, formats=("jsonl",)) as (her, other):
        (old,) = manifests(tmp_path)
        erase(her)
        archives = list(Archive.objects.values())
        erase_in_archives()
        first = {path: path.read_bytes() for path in (tmp_path / "old").iterdir()}
        (now,) = manifests(tmp_path)
        purge.erase_archived("tokens", {old["key"]: now["last"]["key"]}, "DSR-2", actor="jo")
        for path, body in () if is_swept else first.items():
            path.write_bytes(body)
        restored()
        Archive.objects.all().delete()
        Archive.objects.bulk_create(Archive(**each) for each in archives)
        rebuild("default")
        erase_in_archives()
        (told,) = said("rewritten")
        assert (told["found"], told["replaces"]) == (True, old["name"])
        assert told["former"] == now["replaces"]["manifest"]
        assert told["archive"].endswith("_r2")
        assert steps() == ["asked", "rewritten", "gone", "done"]
        assert verified() == []
        assert labels(tmp_path) == [str(other.pk)] * 2


def test_archives_of_before_a_model_was_renamed_are_looked_through(
    tmp_path: Path, settings: Any
) -> None:
    """Those of a model that is there, and has lost the policy to another one, are not."""
    with archived(tmp_path, settings, formats=("jsonl",)):
        (now,) = Archive.objects.all()
        own = {"policy": "tokens", "manifest": "{}", "state": Archive.State.DONE}
        renamed = Archive.objects.create(model="zoo.former", name="renamed", **own)
        another = Archive.objects.create(model="zoo.person", name="another", **own)
        finder = Finder(get_policy("tokens"), "default", ArchiveFolder(tmp_path))
        assert finder.names() == sorted([now.name, "renamed"])
        Archive.objects.filter(pk__in=[renamed.pk, another.pk]).delete()
