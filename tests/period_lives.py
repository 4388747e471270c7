"""Random lives of rows whose period is that of their outcome, against a model. Time is in days."""

from datetime import timedelta

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from lifecycle.promises import check as promises
from tests.clock import pass_time
from tests.lives import keys_of
from tests.support import database_now, run_until_idle
from tests.zoo.models import Errand

#: as the policy `errands` has it; None: never
PERIODS: dict[str | None, float | None] = {"done": 7, "failed": 90, "kept": None, None: 30}
OTHERWISE = 365
outcomes = st.sampled_from(["done", "failed", "kept", None, "running"])
ages = st.sampled_from([0.5, 6.5, 20.5, 60.5, 300.5, None])
some = st.sets(st.integers(1, 5), min_size=1)


class PeriodLives(RuleBasedStateMachine):
    """Five keys that are used again."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.rows = 0.0, dict[int, tuple[str | None, float | None]]()
        with connection.cursor() as cursor:
            cursor.execute(
                "TRUNCATE zoo_errand, purge_run; TRUNCATE lifecycle_event, lifecycle_agenda,"
                " lifecycle_exception; UPDATE lifecycle_policy SET state = 'enabled', spent = '{}'"
            )

    def goes(self, key: int) -> bool:
        outcome, at = self.rows[key]
        period = PERIODS.get(outcome, OTHERWISE)
        return at is not None and period is not None and at + period <= self.now

    @rule(keys=some, outcome=outcomes, age=ages)
    def insert(self, keys: set[int], outcome: str | None, age: float | None) -> None:
        at = None if age is None else database_now() - timedelta(days=age)
        for key in keys - self.rows.keys():
            Errand.objects.create(pk=key, outcome=outcome, done_at=at)
            self.rows[key] = outcome, None if age is None else self.now - age

    @rule(keys=some, outcome=outcomes)
    def change(self, keys: set[int], outcome: str | None) -> None:
        Errand.objects.filter(pk__in=keys).update(outcome=outcome)
        for key in keys & self.rows.keys():
            self.rows[key] = outcome, self.rows[key][1]

    @rule(keys=some)
    def delete(self, keys: set[int]) -> None:
        Errand.objects.filter(pk__in=keys).delete()
        for key in keys & self.rows.keys():
            del self.rows[key]

    @rule(span=st.sampled_from([0, 1, 10, 30, 100]))
    def run(self, span: int) -> None:
        pass_time(days=span)
        self.now += span
        stays = {key for key in self.rows if not self.goes(key)}
        assert keys_of(Errand.objects.live()) == stays
        run_until_idle(deadline=20)
        assert keys_of(Errand.objects.all()) == stays
        self.rows = {key: self.rows[key] for key in stays}

    def teardown(self) -> None:
        self.run(0)
        broken = {name: found for name, found in promises.check().items() if found}
        assert not broken, broken
