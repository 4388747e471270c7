"""The host's own tests of its notes: `TestCase`, transactions, a live server, fixtures, time."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, LiveServerTestCase, TestCase, TransactionTestCase
from django.utils import timezone
from freezegun import freeze_time

from lifecycle import hold
from lifecycle.models import Event
from lifecycle.testing import capture_off, run_until, set_clock, without_capture
from tests.host.models import DAY, HOUR, WEEK, Note, Visit

SECOND = timedelta(seconds=1)
#: the ledger is no fixture, and what `migrate` makes is there already
LEFT_OUT = ["lifecycle", "purge", "contenttypes", "auth.permission"]


def needs_capture() -> None:
    if without_capture():
        pytest.skip("capture is absent")


class WithoutTime(TestCase):
    """What works with and without capture."""

    def test_rows_are_written_and_deleted(self) -> None:
        note = Note.objects.create(text="one")
        Note.objects.update(text="two")
        assert Note.objects.live().get() == note
        hold(note, reason="asked for")
        note.delete()
        Visit.objects.create().delete()

    def test_it_says_when_capture_is_absent(self) -> None:
        if without_capture():
            with pytest.raises(Exception, match="Capture is absent"):
                run_until(timezone.now() + DAY)


class Life(TestCase):
    """In a transaction that is taken back."""

    def setUp(self) -> None:
        needs_capture()

    def test_a_draft_ends_after_a_day_and_goes_after_a_week(self) -> None:
        note = Note.objects.create(text="one")
        kept = Note.objects.create(text="two", draft=False)
        now = timezone.now()
        assert run_until(now + DAY - SECOND) == {}
        assert Note.objects.live().count() == 2
        assert run_until(now + DAY + 2 * SECOND) == {"notes": {"tombstoned": 1}}
        assert Note.objects.live().get() == kept
        assert run_until(now + DAY + WEEK + 9 * SECOND) == {"notes": {"purged": 1}}
        assert not Note.objects.filter(pk=note.pk).exists()

    def test_all_at_once(self) -> None:
        Note.objects.bulk_create(Note(written_at=timezone.now() - n * HOUR) for n in range(5))
        counts = run_until(timezone.now() + DAY + WEEK + HOUR)
        assert counts == {"notes": {"tombstoned": 5, "purged": 5}}

    def test_the_clock_is_real_again(self) -> None:
        Note.objects.create(text="one", written_at=timezone.now() - DAY + HOUR)
        assert Note.objects.live().count() == 1

    def test_a_held_note_stays(self) -> None:
        note = Note.objects.create(text="one")
        hold(note, reason="asked for")
        run_until(timezone.now() + DAY + WEEK)
        assert Note.objects.filter(pk=note.pk).exists()

    def test_what_is_written_without_capture_is_not_recorded(self) -> None:
        with capture_off():
            Note.objects.create(text="one")
            Visit.objects.create()
        assert run_until(timezone.now() + DAY + WEEK) == {}
        assert not Event.objects.filter(kind="expiry_scheduled").exists()
        Note.objects.create(text="two")
        assert Event.objects.filter(kind="expiry_scheduled").exists()

    def test_signals_capture_too(self) -> None:
        Visit.objects.create()
        assert run_until(timezone.now() + 2 * HOUR) == {"visits": {"purged": 1}}


class Frozen(TestCase):
    """With freezegun the host's own clock stands still; lifecycle's is set beside it."""

    def setUp(self) -> None:
        needs_capture()

    def test_in_the_future(self) -> None:
        with freeze_time("2031-03-01 12:00") as frozen:
            Note.objects.create(text="one")
            frozen.tick(DAY + SECOND)
            assert run_until(timezone.now()) == {"notes": {"tombstoned": 1}}
            frozen.tick(WEEK + SECOND)
            assert run_until(timezone.now()) == {"notes": {"purged": 1}}

    def test_in_the_past(self) -> None:
        with freeze_time("2001-09-09"):
            set_clock(timezone.now())
            Note.objects.create(text="one")
            assert Note.objects.live().count() == 1
            assert run_until(timezone.now() + DAY + SECOND) == {"notes": {"tombstoned": 1}}


class Committed(TransactionTestCase):
    """Without a transaction around the test; the tables are flushed after it."""

    def setUp(self) -> None:
        needs_capture()

    def test_life(self) -> None:
        Note.objects.create(text="one")
        assert run_until(timezone.now() + DAY + WEEK + HOUR)["notes"]["purged"] == 1

    def test_life_again_after_the_flush(self) -> None:
        assert not Event.objects.exclude(kind__in=("policy_changed", "truncated")).exists()
        assert abs(timezone.now() - datetime.now(UTC)) < HOUR
        self.test_life()

    def test_dumped_and_loaded(self) -> None:
        Note.objects.create(text="one")
        dumped = StringIO()
        call_command("dumpdata", exclude=LEFT_OUT, stdout=dumped)
        call_command("flush", interactive=False)
        assert not Note.objects.exists()
        path = Path(self.id() + ".json")
        path.write_text(dumped.getvalue())
        try:
            call_command("loaddata", str(path), verbosity=0)
        finally:
            path.unlink()
        assert Note.objects.get().text == "one"
        assert run_until(timezone.now() + DAY + HOUR) == {"notes": {"tombstoned": 1}}

    def test_a_ledger_cannot_be_loaded_into_another(self) -> None:
        dumped = StringIO()
        Note.objects.create(text="one")
        call_command("dumpdata", stdout=dumped)
        path = Path(self.id() + ".json")
        path.write_text(dumped.getvalue().replace("expiry_scheduled", "deleted"))
        try:
            with pytest.raises(Exception, match=r"append-only|ledger"):
                call_command("loaddata", str(path), verbosity=0)
        finally:
            path.unlink()


class Served(LiveServerTestCase):
    """A thread with connections of its own sees the same clock."""

    def setUp(self) -> None:
        needs_capture()

    def test_an_ended_note_is_not_shown(self) -> None:
        Client().post("/notes/", {"text": "one"})
        assert self.page() == "one"
        run_until(timezone.now() + DAY + HOUR)
        assert self.page() == ""

    def page(self) -> str:
        with urlopen(f"{self.live_server_url}/notes/") as answer:
            return str(answer.read().decode())


@pytest.mark.django_db
def test_the_fixtures_of_the_plugin(run_until, capture_off) -> None:
    needs_capture()
    with capture_off():
        Note.objects.create(text="one")
    assert run_until(timezone.now() + DAY) == {}


@pytest.mark.django_db(transaction=True)
def test_a_brake_is_an_error_of_the_test() -> None:
    needs_capture()
    Note.objects.bulk_create(Note(written_at=timezone.now()) for _ in range(10_001))
    with pytest.raises(CommandError, match="brake"):
        run_until(timezone.now() + 2 * DAY)


def test_never_in_a_real_database(django_db_blocker) -> None:
    from django.db import connection

    from lifecycle.exceptions import LifecycleError

    name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], "site"
    try:
        with pytest.raises(LifecycleError, match="test runner"):
            set_clock(timezone.now())
        with pytest.raises(LifecycleError, match="test runner"), capture_off():
            pass
    finally:
        connection.settings_dict["NAME"] = name
