"""Wherever a worker dies, no row is gone that the table does not show, and none is shown twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lifecycle.exceptions import LifecycleError
from purge.archive.folder import ArchiveFolder
from purge.archive.refusals import Unreachable
from purge.iceberg import catalogue
from purge.models import Archive, ArchivePart
from purge.runner import run_due
from tests.purge.archive.engine import kept_promise, tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, at, fails, goes_on, labels, own, run, verified
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4
STEPS = (
    "data", "manifest.json", "-m0.avro", "snap-", "metadata.json", "version-hint.text", "advance",
)  # fmt: skip


class Killed(BaseException):
    """What a process does not catch that is killed."""


@contextmanager
def broken(step: str, error: BaseException, late: bool) -> Iterator[list[str]]:
    """Have a step fail before it is done, or after; gives the steps that were begun."""
    begun: list[str] = []

    def wrap(method: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            name = "advance" if method is advance else str(args[1])
            begun.append(name)
            if step in name and not late:
                raise error
            found = method(*args, **options)
            if step in name:
                raise error
            return found

        return call

    advance = catalogue.advance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArchiveFolder, "put", wrap(ArchiveFolder.put))
        patch.setattr(ArchiveFolder, "replace", wrap(ArchiveFolder.replace))
        patch.setattr(catalogue, "advance", wrap(advance))
        yield begun


QUICK = {("advance", False)}
DEATHS = [
    pytest.param(step, late, marks=[] if (step, late) in QUICK else [pytest.mark.slow])
    for step in STEPS
    for late in (False, True)
]


@pytest.mark.parametrize(("step", "late"), DEATHS)
def test_a_worker_that_is_killed(
    folder: Path, capsys: pytest.CaptureFixture[str], step: str, late: bool
) -> None:
    tokens(ROWS)
    with as_table():
        with broken(step, Killed(), late) as begun, pytest.raises(Killed):
            run_due()
        assert any(step in name for name in begun)
        assert Token.objects.count() == ROWS
        kept_promise()
        goes_on()
        assert duck.read(at(folder)) == labels(ROWS)
        assert verified(capsys) == ""


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_place_that_refuses_after_it_has_done_it(
    folder: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    tokens(ROWS)
    with as_table():
        with broken(step, Unreachable("refused"), True):
            assert "refused" in fails(ROWS)
        goes_on()
        assert duck.read(at(folder)) == labels(ROWS)
        assert verified(capsys) == ""


@pytest.mark.slow
def test_a_version_that_was_put_by_half_is_made_anew(folder: Path) -> None:
    tokens(ROWS)
    with as_table():
        with broken("advance", Killed(), False), pytest.raises(Killed):
            run_due()
        (metadata,) = at(folder).rglob("v1.metadata.json")
        metadata.unlink()
        goes_on()
    assert duck.read(at(folder)) == labels(ROWS)
    assert len(list((at(folder) / "metadata").glob("snap-*"))) == 1


@pytest.mark.slow
def test_a_data_file_that_is_lost_before_it_counts_is_written_again(folder: Path) -> None:
    tokens(ROWS)
    with as_table():
        with broken("advance", Killed(), False), pytest.raises(Killed):
            run_due()
        (data,) = at(folder).rglob("*.parquet")
        data.unlink()
        goes_on()
    assert duck.read(at(folder)) == labels(ROWS)
    assert own().version == 1


@pytest.mark.slow
def test_a_row_that_was_changed_after_a_crash_is_shown_as_it_went(folder: Path) -> None:
    """It was in the version that never counted."""
    tokens(ROWS)
    with as_table():
        with broken("-m0.avro", Killed(), False), pytest.raises(Killed):
            run_due()
        (data,) = at(folder).rglob("*.parquet")
        data.unlink()
        Token.objects.filter(label="token 1").update(label="token 1b")
        goes_on()
    assert duck.read(at(folder)) == ["token 0", "token 1b", "token 2", "token 3"]


@pytest.mark.slow
def test_a_database_that_restarts_before_rows_go_shows_none_twice(folder: Path) -> None:
    """Versions of rows are not believed then; their hashes are."""
    tokens(ROWS)
    with as_table():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("purge.runner.archiving.close_finished", _killed)
            patch.setattr("purge.batch.archived.write_archived", _killed)
            with pytest.raises(Killed):
                run_due()
        assert Archive.objects.get().state == "verified"
        ArchivePart.objects.update(epoch="another")
        goes_on()
        assert Archive.objects.count() == 1
    assert duck.read(at(folder)) == labels(ROWS)


def _killed(*args: Any) -> None:
    raise Killed


def test_another_worker_that_was_quicker_is_not_overtaken(folder: Path) -> None:
    tokens(ROWS)
    with as_table():
        advance = catalogue.advance

        def late(table: Any, *args: Any) -> None:
            run("UPDATE purge_iceberg_table SET version = 7")
            advance(table, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalogue, "advance", late)
            assert "Another worker has written into the table tokens" in fails(ROWS)


@pytest.mark.slow
def test_what_others_have_put_is_left_as_it_is(folder: Path) -> None:
    tokens(ROWS)
    with as_table():
        run_due()
        stranger = at(folder) / "metadata" / "v2.metadata.json"
        stranger.write_text("{}")
        tokens(2)
        run_due()
    assert own().version == 3
    assert stranger.read_text() == "{}"
    assert duck.read(at(folder), "count(*)") == [ROWS + 2]


def test_a_folder_that_others_use_is_not_taken(folder: Path) -> None:
    stranger = at(folder) / "metadata" / "v1.metadata.json"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("{}")
    tokens(ROWS)
    with as_table():
        run_due()
    assert stranger.read_text() == "{}"
    assert own().folder == "old/tokens-2/"
    assert duck.read(folder / "old" / "tokens-2") == labels(ROWS)


def test_metadata_that_somebody_has_changed_stop_the_policy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens(ROWS)
    with as_table():
        run_due()
        path = at(folder) / "metadata" / "v1.metadata.json"
        path.write_text(path.read_text().replace("lifecycle.archive", "lifecycle.archivf"))
        tokens(2)
        assert "v1.metadata.json in folder" in fails(2)
        assert "another SHA-256" in verified(capsys)


def test_without_pyiceberg_nothing_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from purge.archive.formats.iceberg import Iceberg

    monkeypatch.setattr(Iceberg, "missing", "pip install django-tombstone[iceberg]")
    tokens(ROWS)
    with as_table(), pytest.raises(LifecycleError):
        run_due()
    assert Token.objects.count() == ROWS


@pytest.mark.slow
def test_a_table_that_others_begin_in_the_same_moment(folder: Path) -> None:
    """Another database that archives under the same names has put its first version."""
    tokens(ROWS)
    with as_table():
        put = ArchiveFolder.put

        def late(self: Any, name: str, *args: Any) -> None:
            if name.endswith("v1.metadata.json") and "tokens-2" not in name:
                (at(folder) / "metadata" / "v1.metadata.json").write_text("{}")
            put(self, name, *args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ArchiveFolder, "put", late)
            assert "Others have begun a table" in fails(ROWS)
        goes_on()
    assert own().folder == "old/tokens-2/"
    assert duck.read(folder / "old" / "tokens-2") == labels(ROWS)
