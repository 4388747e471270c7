"""What tests of the backfill share: rows that no trigger has seen, policies that are new."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from lifecycle.backfill import progress as backfill
from lifecycle.install.after_migrate import store
from lifecycle.models import AgendaEntry, Backfill, Event, PolicyState
from lifecycle.policy.registry import get_policy


@contextmanager
def past_triggers() -> Iterator[None]:
    """Writes as `pg_restore --disable-triggers` makes them."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("RESET session_replication_role")


def forget(policy: str) -> None:
    """The database as it was before the policy was declared."""
    PolicyState.objects.filter(name=policy).delete()
    Backfill.objects.filter(policy=policy).delete()


def declare(policy: str) -> None:
    """A policy that is new, after `migrate`."""
    forget(policy)
    store(get_policy(policy), "default")


def write(model: Any, *ends: timedelta | None, **values: Any) -> list[Any]:
    """Rows past the triggers, which end so long from now."""
    now = timezone.now()
    rows = [model(**values, expires_at=None if end is None else now + end) for end in ends]
    with past_triggers():
        return list(model.objects.bulk_create(rows))


def read(policy: str) -> list[backfill.Step]:
    """Every chunk that is left, one after the other; none where nothing is marked."""
    done = []
    while step := backfill.step(get_policy(policy), hurried=True):
        done.append(step)
    return done


def read_again(policy: str) -> int:
    """Read everything once more; how many rows were not listed."""
    backfill.ask(get_policy(policy))
    return sum(step.listed for step in read(policy))


def listed(policy: str) -> int:
    """How many rows the agenda lists."""
    return sum(AgendaEntry.objects.filter(policy=policy).values_list("count", flat=True))


def scheduled(policy: str) -> int:
    """How many events list rows of a policy."""
    return Event.objects.filter(policy=policy, kind="expiry_scheduled").count()
