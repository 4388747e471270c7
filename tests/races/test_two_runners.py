"""Two runners at once, and a host that locks in the worst order."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from lifecycle.db.connection import own_transaction
from lifecycle.models import AgendaEntry
from lifecycle.policy.registry import get_policy
from purge.batch.run import begin
from purge.models import Run
from purge.passes.options import PassOptions
from purge.runner import run_due
from purge.sources.agenda import claim
from tests.races.gates import closed_gate
from tests.support import (
    Background,
    endings,
    let_pass,
    run_until_idle,
    session,
    together,
    wait_until,
    waits_for,
)
from tests.zoo.factories import ExpiredDraftFactory, ExpiredOrderFactory, ExpiredTokenFactory
from tests.zoo.models import Draft, Line, Order, Token

pytestmark = pytest.mark.django_db(transaction=True)


def scattered(model, factory, count: int) -> None:
    """Rows written in many statements, so that the agenda has many entries."""
    rows = factory.build_batch(count)
    for start in range(0, count, 50):
        model.objects.bulk_create(rows[start : start + 50])


@pytest.mark.slow
def test_two_runners_end_each_row_once() -> None:
    scattered(Token, ExpiredTokenFactory, 1_000)
    scattered(Draft, ExpiredDraftFactory, 1_000)
    together(run_due, run_due)
    let_pass(timedelta(hours=2))
    together(run_due, run_due)
    run_until_idle()
    assert (Token.objects.count(), Draft.objects.count()) == (0, 0)
    assert sorted(set(endings().values())) == [1]
    assert len(endings()) == 2_000
    assert not Run.objects.exclude(error="").exists()


def test_a_batch_claims_no_more_than_it_takes() -> None:
    """Else a second worker finds nothing, and waits for the first one's batch."""
    for _ in range(4):
        Token.objects.bulk_create(ExpiredTokenFactory.build_batch(5))
    policy, taken = get_policy("tokens"), []
    with session() as other:
        for rows in (5, 12):
            with own_transaction("default"):
                batch = begin(policy, "default", None, dry=False)
                assert batch
                source = claim(batch, PassOptions(), rows)
                assert source
                taken.append(sum(each.entries for each in source.claimed))
                free = other.execute(
                    "SELECT count(*) FROM (SELECT FROM lifecycle_agenda WHERE policy = 'tokens'"
                    " FOR UPDATE SKIP LOCKED) AS entry"
                ).fetchone()
                assert free == (4 - taken[-1],)
                other.commit()
                transaction.set_rollback(True)
    assert taken == [1, 2]


def test_a_second_runner_takes_what_the_first_has_not() -> None:
    ExpiredTokenFactory()
    with closed_gate("purged") as gate:
        first = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the first runner")
        run_due()
        assert Token.objects.count() == 1
        gate.rollback()
        first.result()
    assert set(endings().values()) == {1}


def test_a_runner_that_waits_for_another_to_count_its_rows_forgets_nothing() -> None:
    """Both count their rows in the policy's row, which the first holds to the end of its batch."""
    ExpiredTokenFactory()
    with closed_gate("settled") as gate:
        first = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the first runner")
        ExpiredTokenFactory()
        second = Background(run_due)
        wait_until(lambda: waits_for(gate.info.backend_pid) and sessions_at_gate() == 2, "both")
        gate.rollback()
        first.result()
        second.result()
    run_until_idle()
    assert Token.objects.count() == 0
    assert set(endings().values()) == {1}
    assert not Run.objects.exclude(error="").exists()


def sessions_at_gate() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("attempts", [0, 3], ids=["first attempt", "stubborn"])
def test_a_host_that_locks_children_first_is_never_the_victim(attempts: int) -> None:
    """It holds the lines and wants their orders; the purge holds the orders and wants the lines."""
    orders = ExpiredOrderFactory.create_batch(64, grace=timedelta(0))
    Line.objects.bulk_create([Line(order=order) for order in orders])
    AgendaEntry.objects.update(attempts=attempts)
    holding = threading.Event()

    def host() -> int:
        with transaction.atomic():
            list(Line.objects.select_for_update())
            holding.set()
            wait_until(lambda: done or waits_for(my_pid()), "the purge to want the lines")
            return Order.objects.update(expires_at=timezone.now() + timedelta(days=1))

    done: list[int] = []
    saver = Background(host)
    holding.wait(15)
    done.append(run_due()["orders"].locked)
    assert saver.result() == 64
    assert done[0]  # on a busy machine batches are made smaller, and a slow pass looks twice
    let_pass(timedelta(minutes=1))
    run_until_idle()
    assert (Order.objects.count(), Line.objects.count()) == (64, 64)


def test_orders_whose_lines_are_free_go_beside_one_whose_line_is_locked() -> None:
    orders = ExpiredOrderFactory.create_batch(9, grace=timedelta(0))
    lines = Line.objects.bulk_create([Line(order=order) for order in orders])
    with session() as other:
        other.execute("SELECT FROM zoo_line WHERE id = %s FOR UPDATE", [lines[4].pk])
        run_due()
        assert list(Order.objects.all()) == [orders[4]]
        other.rollback()
    let_pass(timedelta(minutes=1))
    run_until_idle()
    assert not Order.objects.exists()


def my_pid() -> int:
    return int(connection.connection.info.backend_pid)
