"""Random lives of rows that are emptied after a year and deleted after three, against a model.

Time is in days: whole ones between steps, and rows end at halves, so that no second decides.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import lifecycle
from lifecycle.models import Event
from lifecycle.promises import check as promises
from tests.clock import pass_time
from tests.lives import keys_of
from tests.support import database_now, run_until_idle
from tests.zoo.models import Leaver, Unpaid

#: as the zoo declares them, by the policies' names
EMPTY, GONE = "leavers-anonymise", "leavers-delete"
AFTER = {EMPTY: 365, GONE: 3 * 365}
keys = st.sets(st.integers(1, 5), min_size=1)
ages = st.sampled_from([300.5, 0.5, 364.5, 700.5, 1094.5, 2000.5, None])


@dataclass
class Row:
    """What the model knows of one: `spared` until when, by policy."""

    left: float | None
    full: bool = True
    regular: bool = False
    held: bool = False
    owes: bool = False
    tried: bool = False
    spared: dict[str, float] = field(default_factory=dict)

    def is_past(self, stage: str, now: float) -> bool:
        if self.left is None or self.regular or self.held or self.spared.get(stage, 0) > now:
            return False
        return self.left + AFTER[stage] <= now


class StageLives(RuleBasedStateMachine):
    """Five keys that are used again."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.rows = 10_000.0, dict[int, Row]()
        self.emptied = self.perhaps = 0
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE lifecycle_event, lifecycle_agenda, lifecycle_exception;"
                " TRUNCATE zoo_leaver, zoo_unpaid, purge_run, lifecycle_event, lifecycle_agenda;"
                " UPDATE lifecycle_policy SET state = 'enabled', spent = '{}'"
            )

    def at(self, age: float | None) -> tuple[datetime | None, float | None]:
        """A moment, as the database has it and as the model does."""
        if age is None:
            return None, None
        return database_now() - timedelta(days=age), self.now - age

    def there(self, chosen: set[int]) -> list[tuple[int, Row]]:
        return [(key, self.rows[key]) for key in sorted(chosen & self.rows.keys())]

    @rule(chosen=keys, age=ages)
    def insert(self, chosen: set[int], age: float | None) -> None:
        moment, left = self.at(age)
        for key in chosen - self.rows.keys():
            Leaver.objects.create(pk=key, name="Jo", email="jo@example.com", left_at=moment)
            self.rows[key] = Row(left)

    @rule(chosen=keys, age=ages)
    def move(self, chosen: set[int], age: float | None) -> None:
        moment, left = self.at(age)
        Leaver.objects.filter(pk__in=chosen).update(left_at=moment)
        for _, row in self.there(chosen):
            if (row.left, left) != (None, None):
                row.spared = {}
            row.left = left

    @rule(chosen=keys)
    def write_again(self, chosen: set[int]) -> None:
        """Somebody fills in what was emptied: that stage takes the row anew."""
        Leaver.objects.filter(pk__in=chosen).update(name="Jo")
        for _, row in self.there(chosen):
            if not row.full:
                row.spared.pop(EMPTY, None)
            row.full = True

    @rule(chosen=keys, regular=st.booleans())
    def let_be(self, chosen: set[int], regular: bool) -> None:
        Leaver.objects.filter(pk__in=chosen).update(regular=regular)
        for _, row in self.there(chosen):
            if row.regular != regular:
                changed = {GONE, EMPTY} if row.full else {GONE}
                row.spared = {n: until for n, until in row.spared.items() if n not in changed}
            row.regular = regular

    @rule(chosen=keys)
    def delete(self, chosen: set[int]) -> None:
        self.hold(chosen, held=False)
        Unpaid.objects.filter(leaver_id__in=chosen).delete()
        Leaver.objects.filter(pk__in=chosen).delete()
        for key, _ in self.there(chosen):
            del self.rows[key]

    @rule(chosen=keys, held=st.booleans())
    def hold_or_release(self, chosen: set[int], held: bool) -> None:
        self.hold(chosen, held)

    def hold(self, chosen: set[int], held: bool) -> None:
        for key, row in self.there(chosen):
            if held != row.held:
                (lifecycle.hold if held else lifecycle.release)(Leaver.objects.get(pk=key))
            row.held = held

    @rule(chosen=keys, span=st.sampled_from([10.5, 400.5]))
    def restore(self, chosen: set[int], span: float) -> None:
        for key, row in self.there(chosen):
            until = database_now() + timedelta(days=span)
            lifecycle.restore(Leaver.objects.get(pk=key), until=until)
            row.spared = dict.fromkeys(AFTER, self.now + span)

    @rule(chosen=keys, owes=st.booleans())
    def bill(self, chosen: set[int], owes: bool) -> None:
        """What it owes keeps a row from being deleted, and not from being emptied."""
        Unpaid.objects.filter(leaver_id__in=chosen).delete()
        for key, row in self.there(chosen):
            if owes:
                Unpaid.objects.create(leaver_id=key)
            row.owes = owes

    @rule(span=st.sampled_from([0, 1, 10, 60, 365, 730]))
    def run(self, span: int) -> None:
        """So many days pass, the worker comes, and comes once more after the grace."""
        self.pass_hours(24 * span + 22)
        hidden = {key for key, row in self.rows.items() if row.is_past(GONE, self.now)}
        assert keys_of(Leaver.objects.live()) == self.rows.keys() - hidden
        run_until_idle(deadline=20)
        for key, row in self.rows.items():
            self.empty(row, key in hidden and not row.owes)
        self.pass_hours(2)
        run_until_idle(deadline=20)
        self.compare(hidden, retried=span >= 1)

    def pass_hours(self, hours: int) -> None:
        pass_time(hours=hours)
        self.now = round((self.now + hours / 24) * 24) / 24

    def empty(self, row: Row, goes: bool) -> None:
        if row.full and row.is_past(EMPTY, self.now):
            self.emptied += not goes
            self.perhaps += goes
            row.full = False

    def compare(self, hidden: set[int], retried: bool) -> None:
        found = keys_of(Leaver.objects.all())
        for key in hidden:
            row = self.rows[key]
            if row.owes:
                row.tried = True
            elif row.tried and not retried:
                continue  # what was blocked is tried again after a day at most
            else:
                assert key not in found, row
        for key in hidden - found:
            del self.rows[key]
        assert found == self.rows.keys()
        full = {key for key, row in self.rows.items() if row.full}
        assert keys_of(Leaver.objects.filter(email__isnull=False) | named("Jo")) == full
        updated = Event.objects.filter(kind="updated").aggregate(rows=Sum("count"))["rows"] or 0
        assert self.emptied <= updated <= self.emptied + self.perhaps

    def teardown(self) -> None:
        self.run(0)
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken


def named(name: str) -> Any:
    return Leaver.objects.filter(name=name)
