"""Rows from before the policy: their windows are listed, and none of their keys."""

from datetime import timedelta

import pytest
from django.db import connection

from lifecycle.backfill.progress import ask, step
from lifecycle.install import after_migrate as sync
from lifecycle.models import AgendaEntry, Event
from lifecycle.policy import registry
from lifecycle.policy.capture_modes import Rows
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.policy.registry import get_policy
from lifecycle.testing import capture_off, set_clock
from purge.runner import run_due
from tests.backfills import declare
from tests.purge.sources.windows.support import MONTH, NOON, day, trace, windows
from tests.zoo.models import Badge, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon(transactional_db: None) -> None:
    set_clock(NOON)


def test_a_backfill_lists_windows_past_and_to_come_and_no_row() -> None:
    with capture_off():
        for number in (3, 3, 9, 20, 25):
            trace(day(number))
        trace(day(26), label="pinned")
        Badge.objects.create(secret="hush", until=day(20, 5))
    for name in ("traces", "badges"):
        declare(name)
        done = step(get_policy(name), hurried=True)
        assert done is not None
        assert done.finished
    assert windows() == [day(3), day(9), day(20), day(25)]
    assert windows("badges") == [day(20, 5)]
    assert not Event.objects.exclude(subjects_bigint=None, subjects_range=None).exists()
    ask(get_policy("traces"))
    step(get_policy("traces"), hurried=True)
    assert len(windows()) == 4


def test_ten_thousand_empty_windows_cost_no_look() -> None:
    with capture_off():
        trace(day(1) - timedelta(days=20_000))
        trace(day(9))
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        declare("traces")
        done = step(get_policy("traces"), hurried=True)
        cursor.execute("RESET enable_seqscan")
    assert done is not None
    assert done.rows == 2


def test_windows_go_where_the_policy_goes_by_rows_again() -> None:
    trace(day(20))
    Trace.objects.bulk_create(Trace(made_at=day(9) - MONTH) for _ in range(3))
    before = get_policy("traces")
    options = {option: getattr(before, option) for option in OPTIONS} | {"capture": Rows()}
    registry._policies["traces"] = Policy("traces", Trace, **options)
    try:
        sync.store(get_policy("traces"), "default")
        assert windows() == []
        step(get_policy("traces"), hurried=True)
        assert AgendaEntry.objects.filter(policy="traces").count() == 2
        run_due()
        assert Trace.objects.count() == 1
    finally:
        registry._policies["traces"] = before
        sync.store(before, "default")
        step(before, hurried=True)
