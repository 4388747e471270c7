"""A million rows that were there before their policy."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from lifecycle.backfill import progress as backfill
from lifecycle.install.after_migrate import store
from lifecycle.models import AgendaEntry, Backfill, Event
from lifecycle.policy.registry import get_policy
from tests.backfills import forget, past_triggers

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 1_000_000
# From ten days ago, three seconds apart, which ends in 24 days.
SPREAD = "now() - interval '10 days' + interval '3 seconds' * i"
TABLES = {
    "tokens": f"INSERT INTO zoo_token (label, active, expires_at) SELECT '', true, {SPREAD}",
    "tickets": f"INSERT INTO zoo_ticket (id, expires_at) SELECT gen_random_uuid(), {SPREAD}",
    "coupons": f"INSERT INTO zoo_coupon (code, expires_at) SELECT md5(i::text), {SPREAD}",
}


def read(policy: str) -> tuple[int, float, float]:
    """Chunks, the slowest and all of them in seconds."""
    took = []
    while True:
        started = time.monotonic()
        done = backfill.step(get_policy(policy), hurried=True)
        took.append(time.monotonic() - started)
        assert done
        if done.finished:
            return len(took), max(took), sum(took)


def listed(policy: str) -> int:
    return sum(AgendaEntry.objects.filter(policy=policy).values_list("count", flat=True))


@pytest.mark.parametrize("policy", TABLES)
def test_a_million_rows_are_few_events(policy: str, record_property: Callable[..., Any]) -> None:
    with past_triggers():
        connection.cursor().execute(f"{TABLES[policy]} FROM generate_series(1, {ROWS}) AS i")
    connection.cursor().execute("ANALYZE")
    forget(policy)
    store(get_policy(policy), "default")
    first = read(policy)
    events = Event.objects.filter(policy=policy, kind="expiry_scheduled")
    few = events.count()
    print(f"{policy}: {few} events; chunks, slowest, all: {first}")
    assert few < 1_000
    assert listed(policy) == ROWS
    backfill.ask(get_policy(policy))
    again = read(policy)
    print(f"{policy}: asked again: {again}")
    assert events.count() == few
    assert Backfill.objects.get(policy=policy).read == ROWS
    Backfill.objects.filter(policy=policy).update(finished_at="2020-01-01T00:00Z")
    assert backfill.reconcile() == [policy]
    print(f"{policy}: reconciled: {read(policy)}")
    assert events.count() == few
