"""Random lives of rows against the reference: nothing ends early, nothing is forgotten.

What a pass has ended is taken over from the database, within the bounds that the reference gives;
everything else must be the same at every step, and the projections equal to the fold of the ledger.
"""

import functools
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import inf
from typing import Any

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

import lifecycle
import purge
from lifecycle.exceptions import ConditionNotMet, LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.passes import pacing
from purge.passes.options import PassOptions
from purge.runner import run_policy
from tests.clock import pass_time
from tests.reference import Row, World
from tests.support import database_now
from tests.zoo.models import Life

POLICY = "lives"
FOLD = "promise_06_projections_are_the_fold"
# Half hours and whole hours never meet, so that no second decides what is due.
moments = st.sampled_from([-0.5, 0.5, -5.5, 1.5, 4.5, None])
later = st.sampled_from([None, 0.5, 1.5, 4.5])
graces = st.sampled_from([2.25, 0.25, 1.25, 0.0, None])
one = st.integers(1, 4)
some = st.sets(one, min_size=1)


def step(**drawn: Any) -> Any:
    """A rule on at least one row, after which, often, hours pass and the worker comes."""

    def decorate(act: Any) -> Any:
        @functools.wraps(act)
        def acting(self: "Lives", row: Any, later: int | None, **values: Any) -> None:
            if len(self.world.rows) < 2:
                self.write({1, 2, 3}, *row)
            act(self, **values)
            if later is not None:
                self.go_on(later)

        row = st.tuples(moments, graces)
        return rule(row=row, later=st.sampled_from([None, 0, 1, 1, 2, 6]), **drawn)(acting)

    return decorate


class Lives(RuleBasedStateMachine):
    """One policy whose every part is a column, four keys that are used again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE zoo_life, purge_run; TRUNCATE lifecycle_event, lifecycle_agenda,"
                " lifecycle_exception; UPDATE lifecycle_policy SET state = 'enabled', spent = '{}'"
            )

    # what the host does

    @step(keys=some, moment=moments, grace=graces)
    def insert(self, keys: set[int], moment: float | None, grace: float | None) -> None:
        self.write(keys, moment, grace)

    def write(self, keys: set[int], moment: float | None, grace: float | None) -> None:
        new = sorted(keys - self.world.rows.keys())
        Life.objects.bulk_create(
            Life(pk=key, expires_at=self.at(moment), grace=hours(grace)) for key in new
        )
        for key in new:
            self.world.rows[key] = Row(self.then(moment), grace)

    @step(keys=some, moment=moments)
    def move(self, keys: set[int], moment: float | None) -> None:
        for row in self.written(keys, expires_at=self.at(moment)):
            changes = row.active and (row.expires, moment) != (None, None)
            row.expires = self.then(moment)
            if changes:
                row.changed()

    @step(keys=some)
    def toggle(self, keys: set[int]) -> None:
        for key in self.there(keys):
            row = self.world.rows[key]
            row.active = not row.active
            Life.objects.filter(pk=key).update(active=row.active)
            row.changed()

    @step(keys=some, wanted=st.booleans(), label=st.text("ab", max_size=2))
    def change_what_does_not_count(self, keys: set[int], wanted: bool, label: str) -> None:
        for row in self.written(keys, wanted=wanted, label=label):
            row.wanted = wanted

    @step(keys=some, grace=graces)
    def change_the_grace(self, keys: set[int], grace: float | None) -> None:
        for row in self.written(keys, grace=hours(grace)):
            row.loose = row.loose or row.grace is None
            row.grace = grace
            row.graces.append(inf if grace is None else grace)

    @step(keys=some)
    def delete(self, keys: set[int]) -> None:
        Life.objects.filter(pk__in=keys)._raw_delete("default")
        for key in self.there(keys):
            del self.world.rows[key]

    # what people say

    @step(key=one)
    def expire_by_hand(self, key: int) -> None:
        for row in self.rows({key}):
            try:
                lifecycle.expire_now(Life.objects.get(pk=key))
            except ConditionNotMet:
                assert not row.active
            else:
                assert row.active
                row.restored, row.by_hand = None, self.world.now
                if row.ends(self.world.now) == self.world.now:
                    row.tombstone = None  # of an earlier expiry by hand, perhaps in this very hour

    @step(within=st.sampled_from([0, 1, 3, 5]), dry=st.booleans())
    def end_sooner(self, within: int, dry: bool) -> None:
        """Without their grace, what would end within some hours: exactly this, and at once."""
        wanted = self.world.ending_within(within)
        asked: Any = {"within": hours(within), "grace": timedelta(0), "dry_run": dry}
        try:
            purge.run(POLICY, actor="jo", **asked)
        except LifecycleError:
            assert self.world.stops()
        else:
            assert not self.world.stops()
            gone = self.world.rows.keys() - keys_of(Life.objects.all())
            assert gone == (set() if dry else wanted)
            for key in gone:
                del self.world.rows[key]

    @step(key=one, until=later)
    def restore(self, key: int, until: float | None) -> None:
        for row in self.rows({key}):
            lifecycle.restore(Life.objects.get(pk=key), until=self.at(until))
            row.changed()
            row.restored = inf if until is None else self.then(until)

    @step(key=one, until=later)
    def hold(self, key: int, until: float | None) -> None:
        for row in Life.objects.filter(pk=key):
            number = lifecycle.hold(row, until=self.at(until))
            self.world.holds[number] = (key, inf if until is None else self.world.now + until)

    @step(until=later)
    def hold_the_policy(self, until: float | None) -> None:
        number = lifecycle.hold(POLICY, until=self.at(until))
        self.world.holds[number] = (None, inf if until is None else self.world.now + until)

    @precondition(lambda self: self.world.holds)
    @step(choice=st.integers(0, 9))
    def release(self, choice: int) -> None:
        self.let_go(sorted(self.world.holds)[choice % len(self.world.holds)])

    def let_go(self, number: int) -> None:
        lifecycle.release(number)
        key, _ = self.world.holds.pop(number)
        for row in self.rows({key or 0}):
            row.loose = True

    @step()
    def pause_or_resume(self) -> None:
        self.switch()

    def switch(self) -> None:
        (states.resume if self.world.paused else states.pause)(POLICY)
        self.world.paused = not self.world.paused

    # time and the worker

    def go_on(self, span: int) -> None:
        """After an hour nothing is stopped any more, so that not all that follows is in vain."""
        if self.world.paused and span:
            self.switch()
        for number, (key, _) in list(self.world.holds.items() if span else ()):
            if key is None:
                self.let_go(number)
        self.advance(span)
        self.run()

    def advance(self, span: int) -> None:
        pass_time(hours=span)
        self.world.now += span

    @rule(limit=st.sampled_from([None, None, 1]), size=st.sampled_from([1, 2, 10_000]))
    def run(self, limit: int | None = None, size: int = 10_000) -> None:
        allowed, due = self.world.look(whole=limit is None)
        policy = get_policy(POLICY)
        pacing._sizes["default", POLICY] = policy.batch_rows = size
        run_policy(policy, PassOptions(limit=limit))
        gone = self.world.rows.keys() - keys_of(Life.objects.all())
        assert gone <= allowed, f"ended too early: {gone - allowed}"
        assert due <= gone, f"forgotten: {due - gone}"
        for key in gone:
            del self.world.rows[key]

    # what is true at every step

    @invariant()
    def the_same_rows_are_live(self) -> None:
        ended = self.world.tombstoned()
        assert keys_of(Life.objects.tombstoned()) == ended
        assert keys_of(Life.objects.live()) == self.world.rows.keys() - ended

    @invariant()
    def projections_are_the_fold(self) -> None:
        found = promises.check(only=[FOLD])[FOLD]
        assert not found, found

    def teardown(self) -> None:
        """The faults stop: everything that is due ends, and every promise was kept."""
        if self.world.paused:
            self.switch()
        for number in list(self.world.holds):
            self.let_go(number)
        for row in self.written({1, 2, 3, 4}, wanted=False):
            row.wanted = False
        past = {key for key in self.world.tombstoned() if self.world.rows[key].grace is not None}
        for _ in range(5):
            self.run()
            self.advance(2)
        self.run()
        assert not past & self.world.rows.keys(), "forgotten for good"
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken

    # both sides at once

    def at(self, hours_from_now: float | None) -> datetime | None:
        now = database_now()
        return None if hours_from_now is None else now + timedelta(hours=hours_from_now)

    def then(self, hours_from_now: float | None) -> float | None:
        return None if hours_from_now is None else self.world.now + hours_from_now

    def there(self, keys: set[int]) -> list[int]:
        return sorted(keys & self.world.rows.keys())

    def rows(self, keys: set[int]) -> list[Row]:
        return [self.world.rows[key] for key in self.there(keys)]

    def written(self, keys: set[int], **values: Any) -> Iterable[Row]:
        Life.objects.filter(pk__in=keys).update(**values)
        return self.rows(keys)


def hours(span: float | None) -> timedelta | None:
    return None if span is None else timedelta(hours=span)


def keys_of(rows: Any) -> set[int]:
    return set(rows.values_list("pk", flat=True))
