"""A table whose statistics say too little is counted a few times in a run, not in each batch."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.ledger import caps
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.batch import counted_caps
from purge.passes.options import PassOptions
from purge.runner import run_policy, turns
from tests.zoo.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> Policy:
    """Batches of two rows, a cap of five or half of the table, and no statistics."""
    policy = get_policy("tickets")
    for name, value in {"cap_rows": 5, "cap_fraction": 0.5, "batch_rows": 2}.items():
        monkeypatch.setattr(policy, name, value)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE zoo_ticket")
    return policy


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """How far the table was counted, each time, by batches."""
    found: list[int | None] = []
    real = caps.counted_rows

    def counted_rows(policy: Policy, using: str, most: int | None) -> int:
        if most is not None:
            found.append(most)
        return real(policy, using, most)

    monkeypatch.setattr(caps, "counted_rows", counted_rows)
    return found


def write(live: int, due: int) -> None:
    now, day = timezone.now(), timedelta(days=1)
    ends = [now + 9 * day] * live + [now - day] * due
    Ticket.objects.bulk_create([Ticket(expires_at=end) for end in ends])


def state() -> str:
    with connection.cursor() as cursor:  # what the check of the promise goes by
        cursor.execute("SELECT pg_stat_force_next_flush()")
    return PolicyState.objects.get(name="tickets").state


def test_a_run_counts_with_headroom(tickets: Policy, counts: list[int | None]) -> None:
    write(live=60, due=30)
    assert run_policy(tickets).purged == 30
    assert (state(), Ticket.objects.count()) == ("enabled", 60)
    assert counts == [25, 57, 121], "for 6 rows, 14 and 30: as if twice as many had ended"


def test_the_next_run_counts_again(tickets: Policy, counts: list[int | None]) -> None:
    write(live=60, due=8)
    run_policy(tickets)
    assert counts == [25]
    write(live=0, due=2)
    run_policy(tickets)
    assert (state(), Ticket.objects.count(), counts) == ("enabled", 60, [25, 41])


def test_rows_that_fall_due_in_a_run_do_not_go_over_the_count(
    tickets: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "cap_fraction", 0.1)
    write(live=60, due=6)
    passing = turns(tickets, PassOptions())
    assert [next(passing).purged for _ in range(3)] == [2, 4, 6]
    write(live=0, due=4)
    assert [done.purged for done in passing if done.halted] == [6]
    assert (state(), Ticket.objects.count()) == ("halted", 64), "a tenth of the table is six"


def test_a_table_that_can_only_be_counted_so_far(
    tickets: Policy, counts: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as far takes too long, as far as it has to be does not."""
    fewer = caps.counted_rows
    monkeypatch.setattr(
        caps, "counted_rows",
        lambda policy, using, most: fewer(policy, using, most) if not most or most < 20 else 0,
    )  # fmt: skip
    write(live=60, due=8)
    assert run_policy(tickets).purged == 8
    assert (state(), Ticket.objects.count(), counts) == ("enabled", 60, [13, 17])


def test_a_process_keeps_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_caps, "_counted", {})
    for run in range(counted_caps.KEPT + 9):
        counted_caps._keep(("default", run), 1)
    assert len(counted_caps._counted) == counted_caps.KEPT
    assert ("default", counted_caps.KEPT + 8) in counted_caps._counted
