"""What tests share: time, second sessions, and the worker until it has nothing left to do."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.models import DateTimeField, QuerySet
from django.utils import timezone

from lifecycle import hold
from lifecycle.compiler.fingerprint import field_names
from lifecycle.compiler.policy_sql import compiled
from lifecycle.install import after_migrate as sync
from lifecycle.models import Event, PolicyState
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.policy.registry import get_policy, policies_of
from lifecycle.testing import next_due
from purge.batch.outcome import Outcome
from purge.runner import run_due
from tests.clock import pass_time

LONG_AGO = timedelta(days=1000)


def sampled(cells: Iterable[Any], every: int = 2) -> list[Any]:
    """Parameters of a test that are alike: the first of every so many, the others are slow."""
    return [
        cell if not number % every
        else pytest.param(*(cell if isinstance(cell, tuple) else (cell,)), marks=pytest.mark.slow)
        for number, cell in enumerate(cells)
    ]  # fmt: skip


def run_until_idle(
    horizon: timedelta = timedelta(seconds=3), deadline: float = 60
) -> dict[str, Outcome]:
    """Run passes until nothing falls due within `horizon`; what does is waited for."""
    done: dict[str, Outcome] = {}
    give_up = time.monotonic() + deadline
    while True:
        for name, outcome in run_due().items():
            done.setdefault(name, Outcome()).add(outcome)
        due = next_due()
        if due is None or due > database_now() + horizon:
            return done
        assert time.monotonic() < give_up, f"still due after {deadline} s: {due}"
        time.sleep(max(0.0, (due - database_now()).total_seconds()))


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def make_due(rows: QuerySet[Any], ago: timedelta = LONG_AGO) -> None:
    """Move the times that the policies of the rows count from into the past."""
    names = {name for policy in policies_of(rows.model) for name in field_names(policy.expires)}
    fields = [name for name in names if isinstance(rows.model._meta.get_field(name), DateTimeField)]
    rows.update(**dict.fromkeys(fields, timezone.now() - ago))


def let_pass(span: timedelta) -> None:
    """Make it later by `span`."""
    pass_time(seconds=span.total_seconds())


@contextmanager
def session(**options: Any) -> Iterator[psycopg.Connection[Any]]:
    """A second real connection to the test database, in a transaction until it commits."""
    parameters = connection.get_connection_params()
    plain = {key: parameters[key] for key in parameters.keys() - {"context", "cursor_factory"}}
    with psycopg.connect(**(plain | options)) as other:
        yield other


@contextmanager
def other_sql(name: str, old: str, new: str) -> Iterator[None]:
    """As if the code compiled a policy to other SQL, for faults that no declaration has."""
    code = compiled(get_policy(name))
    own = code.state_sql
    assert old in own
    _put_sql(name, own.replace(old, new))
    try:
        yield
    finally:
        _put_sql(name, own)


def _put_sql(name: str, text: str) -> None:
    object.__setattr__(compiled(get_policy(name)), "state_sql", text)
    PolicyState.objects.filter(name=name).update(state_sql=text)


def wait_until(condition: Callable[[], Any], what: str = "", deadline: float = 60) -> Any:
    """Poll until the condition is true; returns what it gave."""
    give_up = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {deadline} s for {what or condition}"
        time.sleep(0.01)
    return found


def waits_for(pid: int) -> bool:
    """Whether some session waits for a lock that session `pid` holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", [pid]
        )
        return bool(cursor.fetchone()[0])


def waiting() -> int:
    """How many sessions of this database wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


class Background:
    """A call in a thread of its own, with its own connection."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call, self.value, self.error = call, None, None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.value = self.call()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def result(self, deadline: float = 60) -> Any:
        """What the call returned; raises what it raised."""
        self.thread.join(deadline)
        assert not self.thread.is_alive(), "the thread did not end"
        if self.error:
            raise self.error
        return self.value


class Holding:
    """A hold on a row that another transaction has placed and not yet committed."""

    def __init__(self, row: Any) -> None:
        self.row, self.go, self.placed = row, threading.Event(), threading.Event()
        self.thread = Background(self._run)
        assert self.placed.wait(15), "the hold was not placed"

    def _run(self) -> int:
        with transaction.atomic():
            number = hold(self.row, reference="CASE-9")
            self.placed.set()
            assert self.go.wait(30)
        return number

    def commit(self) -> int:
        """Let it commit; returns the hold's number."""
        self.go.set()
        return int(self.thread.result())


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at once, each in a thread; returns their results."""
    return [each.result() for each in [Background(call) for call in calls]]


def kinds(**which: Any) -> list[str]:
    """The kinds of the ledger's events about rows, in order."""
    told = Event.objects.filter(**which).exclude(
        kind__in=("policy_changed", "settled", "truncated")
    )
    return list(told.order_by("id").values_list("kind", flat=True))


def events_of(row: Any, *wanted: str) -> list[str]:
    """The kinds of the events about one row, in order."""
    label = row._meta.concrete_model._meta.label_lower
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind FROM lifecycle_event AS told WHERE model = %s"
            " AND %s IN (SELECT lifecycle.keys_v1(told.id)) ORDER BY id",
            [label, str(row.pk)],
        )
        return [kind for (kind,) in cursor.fetchall() if not wanted or kind in wanted]


ENDINGS = ("purged", "deleted", "updated")


def endings() -> dict[str, int]:
    """How many ending events each row of the ledger has, by `model:key`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT model || ':' || key, count(*) FROM lifecycle_event AS told,"
            " lifecycle.keys_v1(told.id) AS key WHERE kind = ANY (%s) GROUP BY 1",
            [list(ENDINGS)],
        )
        return dict(cursor.fetchall())


class SetHours(Protocol):
    """Gives policies hours that are not now, or hours that are (the fixture `set_hours`)."""

    def __call__(self, *names: str, is_open: bool = False) -> None: ...


@contextmanager
def renamed(old: str, new: str) -> Iterator[Callable[[], None]]:
    """The site as it is after a policy was declared under another name, and `migrate`; gives what
    `migrate` does about it, once more."""
    policy = get_policy(old)
    values = {option: getattr(policy, option) for option in OPTIONS} | {"previously": old}
    named = Policy(new, policy.model, **values)
    registry._policies.pop(old)
    registry._policies[new] = named
    try:
        sync.store(named, "default")
        yield lambda: sync.store(named, "default")
    finally:
        registry._policies.pop(new)
        registry._policies[old] = policy
