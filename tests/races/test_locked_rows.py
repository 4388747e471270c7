"""What another transaction does to a row while the purge waits for its lock, or has skipped it.

In each story another session holds the row's lock, uncommitted, while the worker runs. The worker
either skips the row and lists it again, or, after three attempts, waits for it; then the session
commits or rolls back. The row ends if and only if it is still due by what was committed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.support import (
    Background,
    endings,
    events_of,
    let_pass,
    run_until_idle,
    sampled,
    session,
    wait_until,
    waits_for,
)
from tests.zoo.factories import ExpiredDraftFactory, ExpiredReportFactory, ExpiredTokenFactory
from tests.zoo.models import Draft, Picture, Report

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[psycopg.Connection[Any], Draft], object]


def extended(other: psycopg.Connection[Any], draft: Draft) -> None:
    other.execute("UPDATE zoo_draft SET created_at = now() WHERE id = %s", [draft.pk])


def published(other: psycopg.Connection[Any], draft: Draft) -> None:
    other.execute("UPDATE zoo_draft SET status = 'live' WHERE id = %s", [draft.pk])


def given_a_child(other: psycopg.Connection[Any], draft: Draft) -> None:
    touched(other, draft)
    other.execute("INSERT INTO zoo_picture (draft_id) VALUES (%s)", [draft.pk])


def given_a_child_at_once(other: psycopg.Connection[Any], draft: Draft) -> None:
    """The foreign key is checked, and the draft's key locked, with the statement."""
    other.execute("SET CONSTRAINTS ALL IMMEDIATE")
    other.execute("INSERT INTO zoo_picture (draft_id) VALUES (%s)", [draft.pk])


def held(other: psycopg.Connection[Any], draft: Draft) -> None:
    other.execute("SELECT FROM zoo_draft WHERE id = %s FOR NO KEY UPDATE", [draft.pk])
    other.execute(
        "SELECT lifecycle.write_v1('hold_placed', '', 'zoo.draft',"
        " lifecycle.one_v1('bigint', %s::text), 1, NULL, NULL, NULL, '{}', NULL)",
        [draft.pk],
    )


def restored(other: psycopg.Connection[Any], draft: Draft) -> None:
    other.execute("SELECT FROM zoo_draft WHERE id = %s FOR NO KEY UPDATE", [draft.pk])
    other.execute(
        "SELECT lifecycle.write_v1('restored', 'drafts', 'zoo.draft',"
        " lifecycle.one_v1('bigint', %s::text), 1, NULL, NULL, NULL, '{}', NULL)",
        [draft.pk],
    )


def touched(other: psycopg.Connection[Any], draft: Draft) -> None:
    other.execute("UPDATE zoo_draft SET title = 'x' WHERE id = %s", [draft.pk])


SAVING = [extended, published, given_a_child, held, restored]


@pytest.fixture(params=sampled(["to purge", "to tombstone"]))
def draft(request: pytest.FixtureRequest) -> Draft:
    """A draft that is due for its next step, beside others that are too."""
    Draft.objects.bulk_create(ExpiredDraftFactory.build_batch(3))
    return before_step(request.param)


@pytest.fixture(params=sampled(["to purge", "to tombstone"]))
def only_draft(request: pytest.FixtureRequest) -> Draft:
    """A draft that is due for its next step, alone."""
    ExpiredDraftFactory()
    return before_step(request.param)


def before_step(step: str) -> Draft:
    if step == "to purge":
        run_due()
        let_pass(timedelta(hours=2))
    return Draft.objects.latest("pk")


def step_of(draft: Draft) -> int:
    """How far the draft has come: 0 scheduled, 1 tombstoned, 2 purged."""
    return len(events_of(draft, "tombstoned", "purged"))


@pytest.mark.parametrize("change", SAVING, ids=lambda call: call.__name__)
def test_a_row_saved_while_the_purge_skips_it_stays(draft: Draft, change: Change) -> None:
    before = step_of(draft)
    with session() as other:
        change(other, draft)
        run_due()
        assert step_of(draft) == before
        assert all(step_of(each) == before + 1 for each in others(draft))
        other.commit()
    run_again()
    assert Draft.objects.filter(pk=draft.pk).exists()
    assert step_of(draft) == before


@pytest.mark.parametrize("change", SAVING, ids=lambda call: call.__name__)
def test_the_only_row_of_a_batch_saved_while_it_is_skipped_stays(
    only_draft: Draft, change: Change
) -> None:
    before = step_of(only_draft)
    with session() as other:
        change(other, only_draft)
        assert run_due()["drafts"].locked == 1
        other.commit()
    run_again()
    assert Draft.objects.filter(pk=only_draft.pk).exists()
    assert step_of(only_draft) == before


@pytest.mark.parametrize("change", SAVING, ids=lambda call: call.__name__)
def test_a_row_saved_while_the_purge_waits_for_it_stays(draft: Draft, change: Change) -> None:
    before = step_of(draft)
    with session() as other:
        change(other, draft)
        make_stubborn()
        worker = Background(run_due)
        wait_until(lambda: waits_for(other.info.backend_pid), "the worker to wait")
        other.commit()
        worker.result()
    run_again()
    assert Draft.objects.filter(pk=draft.pk).exists()
    assert step_of(draft) == before


def test_a_child_that_locks_its_parents_key_keeps_it() -> None:
    """A tombstone does not wait for new children; a purge does."""
    draft = ExpiredDraftFactory()
    with session() as other:
        given_a_child_at_once(other, draft)
        run_due()
        let_pass(timedelta(hours=2))
        run_due()
        assert step_of(draft) == 1
        other.commit()
    run_again()
    assert Draft.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize("end", ["rollback", "commit"])
def test_a_row_locked_by_an_innocent_transaction_goes_afterwards(draft: Draft, end: str) -> None:
    before = step_of(draft)
    with session() as other:
        touched(other, draft)
        run_due()
        assert step_of(draft) == before
        getattr(other, end)()
    run_again()
    assert step_of(draft) == before + 1


@pytest.mark.parametrize("change", SAVING, ids=lambda call: call.__name__)
def test_a_row_whose_owner_rolls_back_goes(draft: Draft, change: Change) -> None:
    before = step_of(draft)
    with session() as other:
        change(other, draft)
        run_due()
        other.rollback()
    run_again()
    assert step_of(draft) == before + 1


def test_a_stubborn_row_is_waited_for_and_goes(draft: Draft) -> None:
    before = step_of(draft)
    with session() as other:
        touched(other, draft)
        make_stubborn()
        worker = Background(run_due)
        wait_until(lambda: waits_for(other.info.backend_pid), "the worker to wait")
        other.rollback()
        worker.result()
    assert step_of(draft) == before + 1


def test_a_lock_that_lasts_longer_than_the_wait_holds_nobody_up(draft: Draft) -> None:
    before = step_of(draft)
    with session() as other:
        touched(other, draft)
        make_stubborn()
        late = ExpiredTokenFactory()
        run_due()
        assert (step_of(draft), events_of(late, "purged")) == (before, ["purged"])
        assert AgendaEntry.objects.filter(policy="drafts", attempts=4).count() == 1
        other.rollback()
        AgendaEntry.objects.filter(attempts=4).update(due_at=draft.created_at)
    run_again()
    assert step_of(draft) == before + 1


def test_a_skipped_row_is_listed_with_its_tombstone() -> None:
    draft = ExpiredDraftFactory()
    run_due()
    tombstone = Event.objects.get(kind="tombstoned")
    let_pass(timedelta(hours=2))
    with session() as other:
        touched(other, draft)
        run_due()
    entry = AgendaEntry.objects.get()
    assert (entry.tombstone, entry.attempts) == (tombstone.pk, 1)
    assert Event.objects.get(pk=entry.event_id).detail["relisted"] == "locked"


def test_a_row_deleted_meanwhile_is_not_missed_and_not_ended_twice(draft: Draft) -> None:
    with session() as other:
        other.execute("DELETE FROM zoo_draft WHERE id = %s", [draft.pk])
        run_due()
        other.commit()
    run_again()
    assert events_of(draft, "purged", "deleted") == ["deleted"]
    assert set(endings().values()) == {1}


def test_a_child_that_comes_after_its_parents_end_is_refused_by_its_foreign_key() -> None:
    """Django's foreign keys lock nothing before the commit: the purge comes first, and rightly."""
    draft = ExpiredDraftFactory()
    run_due()
    let_pass(timedelta(hours=2))
    with session() as other:
        other.execute("INSERT INTO zoo_picture (draft_id) VALUES (%s)", [draft.pk])
        run_due()
        assert events_of(draft, "purged") == ["purged"]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            other.commit()
    assert not Picture.objects.exists()


def test_a_parents_column_extended_while_the_purge_waits_for_it() -> None:
    """The row that decides is in another table than the policy's own."""
    report = ExpiredReportFactory()
    with session() as other:
        other.execute("UPDATE zoo_document SET expires_at = now() + interval '9 days'")
        worker = Background(run_due)
        wait_until(
            lambda: waits_for(other.info.backend_pid) or not worker.thread.is_alive(), "the worker"
        )
        other.commit()
        assert worker.result()["reports"].locked == 1
    run_again()
    assert Report.objects.filter(pk=report.pk).exists()


def run_again() -> None:
    """Also what was listed again for a moment later."""
    let_pass(timedelta(seconds=5))
    run_until_idle()


def others(draft: Draft) -> list[Draft]:
    return list(Draft.objects.exclude(pk=draft.pk))


def make_stubborn() -> None:
    """As if the worker had found the row locked three times."""
    AgendaEntry.objects.filter(policy="drafts").update(attempts=3)
