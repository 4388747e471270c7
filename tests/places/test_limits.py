"""What docs/limits.md says, tried; and that it is found by what the page names."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from lifecycle import hold, release, restore, tombstoned
from lifecycle.embedded.location import binaries, place
from lifecycle.models import AgendaEntry, Event
from lifecycle.promises import check as promises
from purge.runner import run_due
from tests.purge.worker.consumer import address, ask
from tests.support import events_of
from tests.zoo.models import Coupon, Legacy, Reading, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(minutes=5)


@contextmanager
def past_the_triggers() -> Iterator[None]:
    with transaction.atomic():
        ask("SET LOCAL session_replication_role = replica")
        yield


def forgotten() -> list[str]:
    """What promise 11 finds: rows with an end on no agenda."""
    found = promises.check(only=["promise_11_nothing_forgotten"])
    return sorted(each.subject for those in found.values() for each in those)


def found_by_check() -> list[str | None]:
    messages = run_checks(tags=["database"], databases=["default"])
    return [message.id for message in messages]


def backfill(policy: str) -> None:
    call_command("lifecycle", "backfill", "--policy", policy)


def test_the_guard_of_the_ledger_can_be_switched_off() -> None:
    Ticket.objects.create(expires_at=timezone.now())
    guard = "ALTER TABLE lifecycle_event {} TRIGGER lifecycle_event_guard_rows"
    with pytest.raises(IntegrityError, match="append-only"):
        ask("DELETE FROM lifecycle_event")
    ask(guard.format("DISABLE"))
    try:
        assert "lifecycle.W102" in found_by_check()
        assert promises.check(only=["promise_07_the_ledger_only_grows"])[
            "promise_07_the_ledger_only_grows"
        ]
        ask("UPDATE lifecycle_event SET actor = 'nobody'")
    finally:
        ask(guard.format("ENABLE"))
    assert "lifecycle.W102" not in found_by_check()
    assert Event.objects.filter(actor="nobody").exists()


def test_disabled_trigger() -> None:
    name = ask("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_lc_tickets_i%'")
    ask(f"ALTER TABLE zoo_ticket DISABLE TRIGGER {name}")
    try:
        row = Ticket.objects.create(expires_at=timezone.now() - AGO)
        assert "lifecycle.W107" in found_by_check()
    finally:
        ask(f"ALTER TABLE zoo_ticket ENABLE TRIGGER {name}")
    is_found_and_mended(row)


def is_found_and_mended(row: Any) -> None:
    run_due()
    assert type(row).objects.filter(pk=row.pk).exists()
    assert any(str(row.pk) in subject for subject in forgotten())
    backfill("tickets")
    assert forgotten() == []
    run_due()
    assert not type(row).objects.filter(pk=row.pk).exists()


def test_replication_role() -> None:
    with past_the_triggers():
        row = Ticket.objects.create(expires_at=timezone.now() - AGO)
    is_found_and_mended(row)


def test_a_change_past_the_triggers_ends_nothing_too_early() -> None:
    moved = Ticket.objects.create(expires_at=timezone.now() - AGO)
    gone = Ticket.objects.create(expires_at=timezone.now() - AGO)
    with past_the_triggers():
        Ticket.objects.filter(pk=moved.pk).update(expires_at=timezone.now() + AGO)
        Ticket.objects.filter(pk=gone.pk).delete()
    run_due()
    assert Ticket.objects.get() == moved
    assert events_of(gone) == ["expiry_scheduled"]


@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="the programs are the embedded server's")
def test_pg_restore_with_triggers_disabled(tmp_path: Path) -> None:
    with past_the_triggers():
        row = Ticket.objects.create(expires_at=timezone.now() - AGO)
    programs, file = binaries(place(settings.EMBEDDED_DATABASE)), str(tmp_path / "dump")
    dump = ["pg_dump", "-Fc", "-a", "-t", "zoo_ticket", "-f", file, address()]
    load = ["pg_restore", "-a", "--disable-triggers", "-d", address(), file]
    run = lambda program, *more: subprocess.run(  # noqa: E731
        [str(programs / program), *more], check=True
    )
    run(*dump)
    with past_the_triggers():
        Ticket.objects.all().delete()
    run(*load)
    assert not AgendaEntry.objects.exists()
    is_found_and_mended(row)


BOUNDS = "FOR VALUES FROM (MINVALUE) TO (1000)"


@pytest.fixture
def without_low(transactional_db: None) -> Iterator[None]:
    """The table without the partition of its low keys, which is there again afterwards."""
    ask("ALTER TABLE zoo_reading DETACH PARTITION zoo_reading_low")
    yield
    ask("DROP TABLE IF EXISTS zoo_reading_new")
    ask(f"ALTER TABLE zoo_reading ATTACH PARTITION zoo_reading_low {BOUNDS}")


@pytest.mark.slow
@pytest.mark.usefixtures("without_low")
def test_attached_partition() -> None:
    ask(
        "CREATE TABLE zoo_reading_new (LIKE zoo_reading INCLUDING INDEXES);"
        "INSERT INTO zoo_reading_new (id, region, expires_at)"
        " VALUES (5, 'x', now() - interval '5 s');"
        f"ALTER TABLE zoo_reading ATTACH PARTITION zoo_reading_new {BOUNDS}"
    )
    assert "lifecycle.W105" in found_by_check()
    assert forgotten()
    call_command("lifecycle", "install")
    backfill("readings")
    assert forgotten() == []
    assert "lifecycle.W105" not in found_by_check()
    run_due()
    assert not Reading.objects.exists()


def test_detached_partition() -> None:
    row = Reading.objects.create(pk=5, region="x", expires_at=timezone.now() - AGO)
    hold(row)
    ask("ALTER TABLE zoo_reading DETACH PARTITION zoo_reading_low")
    try:
        run_due()
        assert ask("SELECT count(*) FROM zoo_reading_low") == 1
        assert events_of(row, "deleted", "purged") == []
        ask("DELETE FROM zoo_reading_low")
        assert events_of(row, "deleted", "purged") == ["deleted"]
    finally:
        ask(f"ALTER TABLE zoo_reading ATTACH PARTITION zoo_reading_low {BOUNDS}")


def test_a_tombstoned_row_takes_its_place() -> None:
    ask("CREATE UNIQUE INDEX one_title ON zoo_draft (title)")
    from tests.zoo.models import Draft

    try:
        old = Draft.objects.create(title="a", created_at=timezone.now() - timedelta(days=2))
        run_due()
        assert tombstoned(Draft).get() == old
        with pytest.raises(IntegrityError):
            Draft.objects.create(title="a", created_at=timezone.now())
        restore(tombstoned(Draft).get(title="a"))
        assert not tombstoned(Draft).exists()
    finally:
        ask("DROP INDEX one_title")


def test_signals_do_not_hear_what_is_written_in_bulk() -> None:
    now = timezone.now()
    Legacy.objects.bulk_create([Legacy(expires_at=now - AGO)])
    later, sooner = (Legacy.objects.create(expires_at=now + sign * AGO) for sign in (-1, 1))
    Legacy.objects.filter(pk=later.pk).update(expires_at=now + AGO)
    Legacy.objects.filter(pk=sooner.pk).update(expires_at=now - AGO)
    run_due()
    assert Legacy.objects.count() == 3
    assert forgotten() == []
    backfill("legacy")
    run_due()
    assert Legacy.objects.get() == later


def test_cascade_that_only_the_database_knows() -> None:
    ask("CREATE TABLE zoo_extra (token bigint REFERENCES zoo_token ON DELETE CASCADE)")
    try:
        row = Token.objects.create(expires_at=timezone.now() - AGO)
        ask("INSERT INTO zoo_extra VALUES (%s)", row.pk)
        run_due()
        assert not Token.objects.exists()
        assert ask("SELECT count(*) FROM zoo_extra") == 0
        ask("ALTER TABLE zoo_extra DROP CONSTRAINT zoo_extra_token_fkey")
        ask("ALTER TABLE zoo_extra ADD FOREIGN KEY (token) REFERENCES zoo_token")
        row = Token.objects.create(expires_at=timezone.now() - AGO)
        ask("INSERT INTO zoo_extra VALUES (%s)", row.pk)
        run_due()
        blocked = Event.objects.get(kind="blocked")
        assert blocked.detail["constraint"] == "zoo_extra_token_fkey"
    finally:
        ask("DROP TABLE zoo_extra")


def test_truncate_is_one_event_and_stops_at_a_hold() -> None:
    row = Coupon.objects.create(code="A", expires_at=timezone.now() + AGO)
    hold(row)
    before = Event.objects.filter(kind="truncated").count()
    with pytest.raises(IntegrityError, match="rows of it are held"):
        ask("TRUNCATE zoo_coupon")
    assert Event.objects.filter(kind="truncated").count() == before
    release(row)
    ask("TRUNCATE zoo_coupon")
    assert Event.objects.filter(kind="truncated", count=0).count() == before + 1
