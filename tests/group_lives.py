"""Random lives of rows of which the newest and the first of a group are kept, against a model.

What is left after each pass must be what the model says, row by row: nothing that is kept has gone,
and nothing that was displaced is there, though `recheck` is a day.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import lifecycle
from lifecycle.promises import check as promises
from tests.clock import pass_time
from tests.lives import keys_of
from tests.support import database_now, run_until_idle
from tests.zoo.models import Login

NEWEST, FIRST = 2, 1  # as the policy `logins` has it
accounts = st.sampled_from([1, 1, 1, 2, None])
moments = st.sampled_from([-30.5, -20.5, -20.5, -9.5, -1.5, -0.5, None])
one = st.integers(1, 9)


@dataclass
class Entry:
    """A login: what the policy reads of it. `at` is in hours."""

    account: int | None
    at: float | None
    real: bool = True
    pinned: bool = False
    held: bool = False


class GroupLives(RuleBasedStateMachine):
    """Few accounts, nine keys that are used again."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.rows, self.holds = 0.0, dict[int, Entry](), dict[int, int]()
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE lifecycle_exception; TRUNCATE zoo_login, purge_run;"
                " TRUNCATE lifecycle_event, lifecycle_agenda;"
                " UPDATE lifecycle_policy SET state = 'enabled', spent = '{}'"
            )

    # what the model says

    def place(self, key: int, newest: bool) -> float:
        """How many rows of its group come before a row."""
        own = self.rows[key]
        if own.account is None or own.at is None:
            return -1
        peers = [
            (row.at, other) for other, row in self.rows.items()
            if row.real and row.account == own.account and row.at is not None
        ]  # fmt: skip
        before = [each > (own.at, key) if newest else each < (own.at, key) for each in peers]
        return sum(before)

    def goes(self, key: int) -> bool:
        row = self.rows[key]
        if row.at is None or not row.real or row.pinned or row.held or row.at + 1 > self.now:
            return False
        return self.place(key, newest=True) >= NEWEST and self.place(key, newest=False) >= FIRST

    # what the site does

    @rule(keys=st.sets(one, min_size=1), account=accounts, moment=moments)
    def insert(self, keys: set[int], account: int | None, moment: float | None) -> None:
        new = sorted(keys - self.rows.keys())
        at = None if moment is None else database_now() + timedelta(hours=moment)
        Login.objects.bulk_create(Login(pk=key, account=account, at=at) for key in new)
        for key in new:
            self.rows[key] = Entry(account, None if moment is None else self.now + moment)

    @rule(keys=st.sets(one, min_size=1), account=accounts)
    def move(self, keys: set[int], account: int | None) -> None:
        self._write(keys, account=account)

    @rule(keys=st.sets(one, min_size=1), real=st.booleans(), pinned=st.booleans())
    def change(self, keys: set[int], real: bool, pinned: bool) -> None:
        self._write(keys, real=real, pinned=pinned)

    @rule(key=one, moment=moments)
    def set_time(self, key: int, moment: float | None) -> None:
        at = None if moment is None else database_now() + timedelta(hours=moment)
        Login.objects.filter(pk=key).update(at=at)
        if key in self.rows:
            self.rows[key].at = None if moment is None else self.now + moment

    @rule(keys=st.sets(one, min_size=1))
    def delete(self, keys: set[int]) -> None:
        Login.objects.filter(pk__in=keys).delete()
        for key in keys & self.rows.keys():
            del self.rows[key]

    @rule(key=one)
    def hold_or_release(self, key: int) -> None:
        if key in self.holds:
            lifecycle.release(self.holds.pop(key))
        elif key in self.rows:
            self.holds[key] = lifecycle.hold(Login.objects.get(pk=key))
        for number, row in self.rows.items():
            row.held = number in self.holds

    # time and the worker

    @rule(span=st.sampled_from([0, 0, 1, 2]))
    def run(self, span: int = 0) -> None:
        pass_time(hours=span)
        self.now += span
        for number, row in self.rows.items():
            row.held = number in self.holds
        gone = {key for key in self.rows if self.goes(key)}
        ended = self.rows.keys() - keys_of(Login.objects.live())
        assert ended - {key for key in ended if self.rows[key].held} == gone
        run_until_idle(deadline=20)
        left = keys_of(Login.objects.all())
        assert left == self.rows.keys() - gone, (left, gone)
        for key in gone:
            del self.rows[key]

    def _write(self, keys: set[int], **values: Any) -> None:
        Login.objects.filter(pk__in=keys).update(**values)
        for key in keys & self.rows.keys():
            for name, value in values.items():
                setattr(self.rows[key], name, value)

    def teardown(self) -> None:
        for number in self.holds.values():
            lifecycle.release(number)
        self.holds.clear()
        self.run(2)
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken
