"""One-time overrides: what ends sooner, what stays, what is refused, what a worker does."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

import purge
from lifecycle import expire_now, hold, live, release, restore
from lifecycle.exceptions import LifecycleError, NoPolicy
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import Outcome
from purge.models import Run
from purge.overrides import request as asking
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from purge.sources import requested
from tests.infra.servers import ROOT
from tests.support import (
    Background,
    Holding,
    events_of,
    kinds,
    let_pass,
    run_until_idle,
    session,
    wait_until,
    waiting,
    waits_for,
)
from tests.zoo.factories import IdleAccountFactory
from tests.zoo.models import Account, Draft, Picture, Spark, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
NOW, HOUR, DAY = timedelta(0), timedelta(hours=1), timedelta(days=1)
PURGE_NOW = {"older_than": timedelta(hours=6), "grace": NOW}


def drafts(*hours: float) -> list[Draft]:
    """Drafts of these ages; the policy ends them after 24 hours and an hour of grace."""
    now = timezone.now()
    return [Draft.objects.create(created_at=now - age * HOUR) for age in hours]


def run(policy: str = "drafts", **options: Any) -> Outcome:
    return purge.run(policy, **({"actor": "jo"} | options))


def there() -> list[Draft]:
    return list(Draft.objects.order_by("pk"))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("drafts"), "batch_rows", 2)


class TestSooner:
    def test_rows_of_an_age_without_their_grace(self) -> None:
        young, old = drafts(5, 7)
        assert run(**PURGE_NOW).purged == 1
        assert there() == [young]
        assert events_of(old) == ["expiry_scheduled", "expired_by_hand", "purged"]
        asked, told, purged = Event.objects.filter(actor="jo").order_by("id")
        assert (asked.count, asked.detail) == (0, {"within": 18 * 3600, "grace": 0})
        assert purged.detail == {"grace_skipped": True, "override": asked.pk}
        assert (told.detail, told.due_at) == (purged.detail, None)
        assert not RowException.objects.exists()
        let_pass(18 * HOUR)
        run_until_idle()
        assert there() == [young]

    def test_the_same_by_time(self) -> None:
        young, _ = drafts(5, 7)
        assert run(within=18 * HOUR, grace=NOW).purged == 1
        assert there() == [young]

    def test_the_events_share_their_set(self) -> None:
        drafts(7, 8, 9)
        run(**PURGE_NOW)
        purged = Event.objects.get(kind="purged")
        assert purged.basis == Event.objects.get(kind="expired_by_hand", count=3).pk
        assert len(purged.subjects) == 3

    def test_batch_by_batch(self, small_batches: None) -> None:
        drafts(5, 5, *range(7, 15))
        outcome = run(**PURGE_NOW)
        assert (outcome.purged, len(there())) == (8, 2)
        assert Event.objects.filter(kind="purged").count() == 4
        assert Run.objects.get().purged == 8

    def test_tombstoned_rows_go_too_and_are_not_counted_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(get_policy("drafts"), "cap_rows", 2)
        monkeypatch.setattr(get_policy("drafts"), "cap_fraction", 0)
        drafts(30, 40)
        run_due()
        outcome = run(grace=NOW)
        assert (outcome.purged, outcome.fresh) == (2, 0)
        assert there() == []

    def test_with_the_grace_rows_are_tombstoned(self) -> None:
        young, old = drafts(5, 7)
        assert run(older_than=6 * HOUR).tombstoned == 1
        assert events_of(old) == ["expiry_scheduled", "expired_by_hand", "tombstoned"]
        assert list(live(Draft)) == [young]
        restore(old)
        assert live(Draft).count() == 2
        run(older_than=6 * HOUR)
        assert live(Draft).count() == 2, "a restored row stays"

    def test_with_the_grace_they_go_after_it(self) -> None:
        young, old = drafts(5, 7)
        run(older_than=6 * HOUR)
        run(older_than=6 * HOUR)
        assert events_of(old).count("tombstoned") == 1
        let_pass(HOUR)
        run_until_idle()
        assert there() == [young]
        assert "grace_skipped" not in Event.objects.get(kind="purged").detail
        assert not RowException.objects.exists()

    def test_a_policy_without_grace(self) -> None:
        keys = [Ticket.objects.create(expires_at=timezone.now() + n * DAY).pk for n in (1, 3)]
        assert run("tickets", within=2 * DAY).purged == 1
        assert [ticket.pk for ticket in Ticket.objects.all()] == keys[1:]

    def test_an_update(self) -> None:
        now = timezone.now()
        for days in (31, 30.01, 20, 5):
            IdleAccountFactory(seen_at=now - days * DAY)
        assert run("accounts", grace=NOW).updated == 2
        assert run("accounts", older_than=10 * DAY).updated == 1
        assert Account.objects.filter(active=True).count() == 1
        assert set(Event.objects.filter(kind="updated").values_list("actor")) == {("jo",)}

    def test_a_later_age_takes_fewer_rows(self) -> None:
        later, _ = drafts(30, 50)
        assert run(older_than=48 * HOUR, grace=NOW).purged == 1
        assert there() == [later]
        assert run(older_than=29 * HOUR).tombstoned == 1
        assert there() == [later]
        assert events_of(later)[-1] == "tombstoned"

    def test_two_policies_on_a_table(self) -> None:
        soon = timezone.now() + HOUR
        rows = [Spark.objects.create(flash=flash, expires_at=soon) for flash in (True, False)]
        run("flashes", within=2 * HOUR)
        assert list(Spark.objects.all()) == rows[1:]

    def test_the_end_of_time(self) -> None:
        with connection.cursor() as cursor:
            for moment in ("infinity", "-infinity", "4000-01-01 BC"):
                cursor.execute("INSERT INTO zoo_ticket VALUES (gen_random_uuid(), %s)", [moment])
        assert run("tickets", within=100_000 * DAY).purged == 2
        assert Ticket.objects.count() == 1


class TestStays:
    def test_held_kept_restored_outside_when(self) -> None:
        held, kept, restored, live_one, _ = drafts(7, 7, 7, 7, 7)
        hold(held)
        Picture.objects.create(draft=kept)
        restore(restored)
        Draft.objects.filter(pk=live_one.pk).update(status="live")
        outcome = run(**PURGE_NOW)
        assert (outcome.purged, outcome.held, outcome.kept) == (1, 1, 1)
        assert there() == [held, kept, restored, live_one]
        assert events_of(held) == ["expiry_scheduled", "hold_placed"]
        assert events_of(kept) == ["expiry_scheduled"]

    def test_protected(self, small_batches: None) -> None:
        from tests.zoo.models import Contract

        rows = drafts(7, 7, 7)
        Contract.objects.create(draft=rows[1])
        outcome = run(**PURGE_NOW)
        assert (outcome.purged, outcome.blocked) == (2, 1)
        assert there() == [rows[1]]
        assert events_of(rows[1]) == ["expiry_scheduled"]

    def test_locked_by_somebody_else(self) -> None:
        rows = drafts(7, 7)
        with session() as other:
            other.execute("SELECT FROM zoo_draft WHERE id = %s FOR UPDATE", [rows[0].pk])
            outcome = run(**PURGE_NOW)
        assert (outcome.purged, outcome.locked) == (1, 1)
        assert there() == [rows[0]]

    def test_extended_while_it_waits_for_the_row(self) -> None:
        (draft,) = drafts(7)
        with session() as host:
            host.execute("UPDATE zoo_draft SET created_at = now() WHERE id = %s", [draft.pk])
            worker = Background(lambda: run(**PURGE_NOW))
            wait_until(lambda: waits_for(host.info.backend_pid), "the run to wait")
            host.commit()
            assert worker.result().purged == 0
        assert there() == [draft]

    def test_held_while_it_waits_for_the_row(self) -> None:
        (draft,) = drafts(7)
        holder = Holding(draft)
        worker = Background(lambda: run(**PURGE_NOW))
        wait_until(lambda: waiting() == 1, "the run to wait")
        holder.commit()
        assert worker.result().held == 1
        assert there() == [draft]

    def test_dry_run(self, small_batches: None) -> None:
        rows = drafts(7, 7, 7)
        before = kinds()
        outcome = run(dry_run=True, **PURGE_NOW)
        assert (outcome.purged, len(outcome.sample)) == (3, 3)
        assert run(dry_run=True, older_than=6 * HOUR).tombstoned == 3
        assert there() == rows
        assert kinds() == before
        assert not Run.objects.exists()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"within": -HOUR}, "within must be a timedelta of zero or more"),
    ({"within": 3600}, "within must be a timedelta"),
    ({"grace": 2 * HOUR}, "grace=2:00:00 is longer than 1:00:00, that of drafts"),
    ({"grace": HOUR / 2}, "grace must be left out"),
    ({"older_then": HOUR}, "Did you mean 'older_than'"),
    ({"keep_while": None}, "An override has no option 'keep_while'"),
    ({"keep": []}, "What keeps rows of drafts has no names"),
    ({"when": None}, "no option 'when'"),
    ({"cap_rows": 5}, "no option 'cap_rows'"),
    ({"within": HOUR, "older_than": HOUR}, "say the same"),
    ({}, "Say what is to be otherwise"),
]


class TestRefused:
    @pytest.fixture(autouse=True)
    def nothing_is_recorded(self) -> Iterator[None]:
        drafts(7, 30)
        before = kinds()
        yield
        assert kinds() == before
        assert Draft.objects.count() == 2

    def test_options(self) -> None:
        for options, message in WRONG:
            for ask in (purge.run, purge.enqueue):
                with pytest.raises(LifecycleError, match=message):
                    ask("drafts", actor="jo", **options)

    def test_without_an_actor(self) -> None:
        for ask in (purge.run, purge.enqueue):
            with pytest.raises(LifecycleError, match="wants a name"):
                ask("drafts", **PURGE_NOW)

    def test_policies_it_cannot_be_for(self) -> None:
        with pytest.raises(NoPolicy, match="Did you mean 'drafts'"):
            run("draft", **PURGE_NOW)
        with pytest.raises(LifecycleError, match=r"use purge\.erase"):
            run("people", grace=NOW)
        with pytest.raises(LifecycleError, match="does not end rows at an age"):
            run("tickets", older_than=HOUR)

    def test_more_than_the_cap_leaves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_policy("drafts"), "cap_rows", 1)
        monkeypatch.setattr(get_policy("drafts"), "cap_fraction", 0)
        for ask in (purge.run, purge.enqueue):
            with pytest.raises(LifecycleError, match="more than 1 rows would end"):
                ask("drafts", actor="jo", **PURGE_NOW)

    def test_more_exceptions_than_are_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asking, "MOST_EXCEPTIONS", 1)
        with pytest.raises(LifecycleError, match="more than 1 rows would be tombstoned by hand"):
            run(older_than=6 * HOUR)


def test_refused_while_the_policy_is_paused_or_held() -> None:
    rows = drafts(7)
    number = hold("drafts")
    with pytest.raises(LifecycleError, match="drafts is held"):
        run(**PURGE_NOW)
    release(number)
    pause("drafts")
    with pytest.raises(LifecycleError, match="drafts is paused"):
        run(**PURGE_NOW)
    resume("drafts")
    assert there() == rows


def test_rows_expired_by_hand_are_counted_before_the_first_one(
    small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = drafts(1, 1, 1, 1)
    for draft in rows:
        expire_now(draft)
    monkeypatch.setattr(get_policy("drafts"), "cap_rows", 3)
    monkeypatch.setattr(get_policy("drafts"), "cap_fraction", 0)
    assert run_due()["drafts"].halted
    assert not Event.objects.filter(kind="tombstoned").exists()


class TestEnqueued:
    def test_a_worker_does_it(self) -> None:
        young, _ = drafts(5, 7)
        number = purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        entry = AgendaEntry.objects.get(event=number)
        assert (entry.count, entry.policy) == (0, "drafts")
        assert run_due()["drafts"].purged == 1
        assert there() == [young]
        assert set(Event.objects.filter(kind="purged").values_list("actor")) == {("jo",)}
        assert not AgendaEntry.objects.filter(event=number).exists()

    def test_in_a_transaction_that_is_taken_back(self) -> None:
        rows = drafts(7)
        with transaction.atomic():
            purge.enqueue("drafts", actor="jo", **PURGE_NOW)
            transaction.set_rollback(True)
        run_due()
        assert there() == rows

    def test_waits_while_the_policy_is_paused(self) -> None:
        drafts(7)
        pause("drafts")
        purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        assert "drafts" not in run_due()
        assert len(there()) == 1
        resume("drafts")
        run_due()
        assert there() == []

    def test_stopped_half_way_and_gone_on_with(self, small_batches: None) -> None:
        drafts(*[7] * 6)
        purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        assert run_policy(get_policy("drafts"), PassOptions(limit=3)).purged == 3
        requested._reached.clear()  # another process
        assert run_due()["drafts"].purged == 3
        assert not AgendaEntry.objects.filter(count=0).exists()

    def test_too_much_by_now_halts_the_policy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_policy("drafts"), "cap_rows", 1)
        monkeypatch.setattr(get_policy("drafts"), "cap_fraction", 0)
        drafts(7)
        purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        drafts(7)
        assert run_due()["drafts"].halted
        assert len(there()) == 2
        resume("drafts", actor="jo", allow=1)
        run_due()
        assert there() == []

    def test_two_workers(self, small_batches: None) -> None:
        from tests.support import together

        drafts(*[7] * 10)
        purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        together(run_due, run_due)
        run_due()
        assert there() == []

    def test_with_its_grace(self) -> None:
        drafts(7)
        purge.enqueue("drafts", actor="jo", older_than=6 * HOUR)
        run_due()
        run_due()
        assert not live(Draft).exists()
        let_pass(2 * HOUR)
        run_until_idle()
        assert there() == []

    def test_what_is_due_by_itself_is_done_beside(self) -> None:
        drafts(7)
        Token.objects.create(expires_at=timezone.now() - HOUR)
        purge.enqueue("drafts", actor="jo", **PURGE_NOW)
        assert {"drafts", "tokens"} <= run_due().keys()
        assert not Token.objects.exists()


def test_the_command_of_the_guide_is_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/how-to/from-three-cron-jobs-to-one-worker.md").read_text("utf-8")
    code = page.split("<!-- command -->\n```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    exec(code, scope)
    monkeypatch.setattr("getpass.getuser", lambda: "jo")
    young, old = drafts(5, 7)

    def manage(**options: Any) -> str:
        out = StringIO()
        call_command(scope["Command"](), stdout=out, **options)
        return out.getvalue()

    assert manage(older_than=6, purge_now=True, dry_run=True).startswith("1 purged")
    assert there() == [young, old]
    assert manage(older_than=6).startswith("0 purged, 1 tombstoned")
    assert manage(older_than=6, purge_now=True).startswith("1 purged")
    assert there() == [young]
    assert manage(older_than=48).startswith("0 purged, 0 tombstoned")
