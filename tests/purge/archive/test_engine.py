"""Rows leave the database only when what was written was read back; nothing is lost on the way."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

import purge
from lifecycle import hold, release
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from lifecycle.testing import run_until, set_clock
from purge.archive import storage as storing
from purge.archive.catalog import catalog
from purge.archive.destinations import destination
from purge.archive.verify import verify
from purge.exceptions import ArchiveError
from purge.models import Archive, ArchivePart, Run
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.clock import pass_time
from tests.purge.archive.engine import archiving, expected, manifests, tokens
from tests.purge.sources.windows.support import NOON, day, trace
from tests.support import kinds
from tests.zoo.models import Badge, Contract, Draft, Odd, Token, Trace

pytestmark = pytest.mark.django_db(transaction=True)

FILES = ("json", "jsonl", "txt", "parquet")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def test_rows_go_into_an_archive_and_then_they_go(folder: Path) -> None:
    tokens(25)
    with archiving("tokens", formats=FILES):
        assert run_due()["tokens"].purged == 25
    assert Token.objects.count() == 0
    (told,) = manifests(folder)
    assert (told["rows"], told["policy"], told["table"]) == (25, "tokens", "zoo_token")
    assert told["first"]["time"] == "2026-01-01T00:00:00+00"
    assert told["name"].startswith("zoo_token_20260101_to_20260101_")
    assert [file["format"] for file in told["files"]] == list(FILES)
    (archived,) = catalog(destination(), ["old/"]).archives
    assert verify(destination(), archived) == []
    purged, told_archived = (Event.objects.get(kind=kind) for kind in ("purged", "archived"))
    assert told_archived.count == purged.count == 25
    assert told_archived.detail["archive"] == purged.detail["archive"] == told["name"]
    assert told_archived.detail["rows"] == 25
    assert Archive.objects.get().state == "done"
    assert not ArchivePart.objects.exists()


def test_names_that_have_to_be_quoted(folder: Path) -> None:
    set_clock(NOON)
    Odd.objects.create(select=day(1))
    with archiving("odd-ones"):
        assert run_due()["odd-ones"].purged == 1
    (told,) = manifests(folder)
    assert told["name"].startswith("Zoo_it_s_an_odd_table_20260301_to_20260301_20260310_12")


def test_without_a_destination_nothing_is_read_and_nothing_goes(settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    tokens(3)
    with archiving("tokens"):
        with pytest.raises(ArchiveError, match="LIFECYCLE_ARCHIVE_DIR"):
            run_due()
        assert Token.objects.count() == 3
        assert not ArchivePart.objects.exists()
        assert Run.objects.get().error == "ArchiveError"


def test_what_failed_is_tried_again_later_and_rows_are_tombstoned_meanwhile(
    folder: Path, settings: Any
) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    set_clock(NOON)
    Draft.objects.create(title="a", created_at=day(1))
    with archiving("drafts"):
        with pytest.raises(ArchiveError):
            run_due()
        assert "tombstoned" in kinds(policy="drafts")
        settings.LIFECYCLE_ARCHIVE_DIR = str(folder)
        set_clock(NOON + timedelta(hours=2))
        run_due()
        assert Draft.objects.count() == 0
        assert [each["rows"] for each in manifests(folder)] == [1]


def test_a_failure_is_not_tried_again_at_once(folder: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    tokens(2)
    with archiving("tokens"):
        with pytest.raises(ArchiveError):
            run_due()
        settings.LIFECYCLE_ARCHIVE_DIR = str(folder)
        pass_time(seconds=30)
        run_due()
        assert Token.objects.count() == 2
        pass_time(seconds=40)
        run_due()
        assert Token.objects.count() == 0


def test_many_rows_are_several_archives(folder: Path) -> None:
    tokens(25)
    with archiving("tokens", batch_rows=10):
        run_due()
    found = manifests(folder)
    assert sorted(each["rows"] for each in found) == [5, 10, 10]
    assert len({each["name"] for each in found}) == 3  # made within one second
    assert expected(folder) == sorted(f"token {n}" for n in range(25))


def test_an_archive_ends_when_its_files_are_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purge.archiving.due.PART", 10)
    tokens(25)
    with archiving("tokens", formats=("json",), batch_bytes=1):
        assert run_due()["tokens"].purged == 25
    # Their names do not say which was the first within one second.
    assert sorted(each["rows"] for each in manifests(folder)) == [5, 10, 10]


@pytest.mark.slow
def test_windows(folder: Path) -> None:
    set_clock(NOON)
    kept, held = trace(day(20), label="kept", wanted=True), trace(day(20), label="held")
    hold(held)
    for label in "abc":
        trace(day(20), label=label)
    trace(day(22), label="later")
    with archiving("traces"):
        run_until(day(21))
        assert set(Trace.objects.values_list("label", flat=True)) == {"kept", "held", "later"}
        assert expected(folder) == ["a", "b", "c"]
        release(held)
        Trace.objects.filter(pk=kept.pk).update(wanted=False)
        run_until(day(24))
        assert Trace.objects.count() == 0
        assert expected(folder) == ["a", "b", "c", "held", "kept", "later"]


def test_keys_that_are_secrets_are_in_the_files_alone(folder: Path) -> None:
    set_clock(NOON)
    Badge.objects.create(secret="hunter2", until=NOON)
    with archiving("badges"):
        run_until(NOON + timedelta(hours=2))
    assert Badge.objects.count() == 0
    (told,) = manifests(folder)
    assert told["first"]["key"] is None
    assert "hunter2" not in json.dumps(told)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM lifecycle_event e WHERE e::text LIKE '%hunter2%'")
        assert cursor.fetchone() == (0,)


def test_a_row_that_was_changed_since_it_was_read_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tokens(3)
    compare = storing.compare

    def then_change(*given: Any) -> None:
        compare(*given)
        Token.objects.filter(pk=rows[1].pk).update(label="changed")

    with archiving("tokens"):
        with monkeypatch.context() as patch:
            patch.setattr(storing, "compare", then_change)
            assert run_due()["tokens"].purged == 2
        assert Token.objects.get().label == "changed"
        pass_time(minutes=1)
        run_due()
    assert Token.objects.count() == 0
    assert expected(folder) == ["changed", "token 0", "token 1", "token 2"]


def test_a_row_that_is_gone_before_it_is_read_is_in_no_archive(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tokens(2)
    monkeypatch.setattr(
        "purge.archiving.due.destination",
        lambda: (Token.objects.filter(pk=rows[0].pk).delete(), destination())[1],
    )
    with archiving("tokens"):
        run_due()
    assert expected(folder) == ["token 1"]


@pytest.mark.slow
def test_a_blocked_row_is_archived_once(folder: Path) -> None:
    set_clock(NOON)
    draft = Draft.objects.create(title="a", created_at=day(1))
    contract = Contract.objects.create(draft=draft)
    with archiving("drafts"):
        run_until(NOON + timedelta(hours=2))
        assert "blocked" in kinds(policy="drafts")
        assert Archive.objects.get().state == "left"
        contract.delete()
        run_until(day(14))
        assert Draft.objects.count() == 0
    assert len(manifests(folder)) == 1
    assert Archive.objects.get().state == "done"


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    tokens(3)
    with archiving("tokens"):
        assert run_policy(get_policy("tokens"), PassOptions(dry=True)).purged == 3
    assert Token.objects.count() == 3
    assert list(folder.iterdir()) == []
    assert not Archive.objects.exists()


def test_what_a_person_wants_sooner_is_archived_too(folder: Path) -> None:
    set_clock(NOON)
    trace(day(10) + timedelta(days=10), label="sooner")
    trace(day(10) + timedelta(days=25), label="too young")
    with archiving("traces"):
        done = purge.run("traces", older_than=timedelta(days=10), grace=timedelta(0), actor="anna")
        assert done.purged == 1
    assert expected(folder) == ["sooner"]
    assert Event.objects.get(kind="archived").actor == "anna"


def test_an_override_without_a_destination_ends_nothing(settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    set_clock(NOON)
    trace(day(20))
    with archiving("traces"), pytest.raises(LifecycleError, match="nowhere"):
        purge.run("traces", older_than=timedelta(days=1), grace=timedelta(0), actor="anna")
    assert Trace.objects.count() == 1


def test_an_override_that_waits_for_a_destination_keeps_no_row_from_its_tombstone(
    folder: Path, settings: Any
) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    set_clock(NOON)
    Draft.objects.create(title="a", created_at=day(1))
    with archiving("drafts"):
        purge.enqueue("drafts", actor="anna", within=timedelta(hours=1))
        with pytest.raises(ArchiveError):
            run_due()
        assert "tombstoned" in kinds(policy="drafts")
        settings.LIFECYCLE_ARCHIVE_DIR = str(folder)
        set_clock(NOON + timedelta(hours=2))
        run_due()
        assert not Draft.objects.exists()


def test_rows_that_a_backup_brings_back_go_again_into_no_second_archive(folder: Path) -> None:
    rows = tokens(2)
    with archiving("tokens"):
        run_due()
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            Token.objects.bulk_create(rows)
            cursor.execute("SET session_replication_role = origin")
        call_command("purge", replay=True, yes=True, actor="anna", verbosity=0)
    assert Token.objects.count() == 0
    assert len(manifests(folder)) == 1


def test_the_policy_above_the_cap_archives_nothing(folder: Path) -> None:
    with archiving("tokens") as policy, pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "cap_rows", 2)
        patch.setattr(policy, "cap_fraction", 0)
        tokens(3)
        assert run_due()["tokens"].halted
    assert list(folder.iterdir()) == []


def test_rows_come_back_as_they_were_and_end_again_when_they_are_released(folder: Path) -> None:
    tokens(30)
    before = list(Token.objects.order_by("pk").values_list())
    with archiving("tokens"):
        run_due()
        call_command("archive", "verify", all=True)
        name = Archive.objects.get().name
        call_command("archive", "load", name, actor="anna")
        assert list(Token.objects.order_by("pk").values_list()) == before
        run_due()
        assert Token.objects.count() == 30
        call_command("lifecycle", "release", reference=name, actor="anna")
        run_due()
        assert Token.objects.count() == 0
    assert [each["rows"] for each in manifests(folder)] == [30, 30]
