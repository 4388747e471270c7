"""Random lives of rows in windows, against a model of a few lines: nothing early, nothing left."""

import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db.models import Q

from lifecycle import expire_now, hold, release, restore
from lifecycle.exceptions import LifecycleError
from lifecycle.models import RowException
from lifecycle.promises import check as promises
from lifecycle.testing import capture_off, set_clock
from purge.runner import run_due
from tests.purge.sources.windows.support import MONTH, day
from tests.zoo.models import Proof, Trace

pytestmark = pytest.mark.django_db

STEPS = 60


class World:
    """What should be there: of each row when it ends, and what keeps it."""

    def __init__(self, seed: int) -> None:
        self.random, self.now = random.Random(seed), day(1)
        self.by_hand: set[int] = set()
        set_clock(self.now)

    def moment(self) -> datetime:
        return self.now + timedelta(hours=self.random.randint(-72, 72))

    def step(self) -> None:
        self.random.choice([self.write, self.write, self.move, self.keep, self.hold, self.release,
                            self.restore, self.expire, self.protect, self.delete, self.slip,
                            self.go, self.go, self.go])()  # fmt: skip

    def row(self) -> Trace | None:
        rows = list(Trace.objects.order_by("pk"))
        return self.random.choice(rows) if rows else None

    def write(self) -> None:
        ends = [self.moment() for _ in range(self.random.randint(1, 5))]
        Trace.objects.bulk_create(Trace(made_at=end - MONTH) for end in ends)

    def move(self) -> None:
        if row := self.row():
            Trace.objects.filter(pk=row.pk).update(made_at=self.moment() - MONTH)
            self.by_hand.discard(row.pk)

    def keep(self) -> None:
        if row := self.row():
            Trace.objects.filter(pk=row.pk).update(wanted=self.random.random() < 0.5)

    def hold(self) -> None:
        if row := self.row():
            hold(row)

    def release(self) -> None:
        if row := self.row():
            with suppress(LifecycleError):
                release(row)

    def restore(self) -> None:
        if row := self.row():
            restore(row, until=self.now + timedelta(hours=self.random.randint(1, 48)))
            self.by_hand.discard(row.pk)

    def expire(self) -> None:
        if row := self.row():
            expire_now(row)
            self.by_hand.add(row.pk)

    def protect(self) -> None:
        if row := self.row():
            Proof.objects.create(trace=row)

    def delete(self) -> None:
        if (row := self.row()) and not row.proof_set.exists():
            row.delete()

    def slip(self) -> None:
        with capture_off():
            Trace.objects.create(made_at=self.moment() - MONTH)

    def go(self) -> None:
        self.now += timedelta(hours=self.random.randint(1, 30))
        set_clock(self.now)
        before = {row.pk: row for row in Trace.objects.all()}
        spared = self.spared()
        run_due()
        gone = before.keys() - set(Trace.objects.values_list("pk", flat=True))
        assert not gone & spared, "it went although it was held, restored or protected"
        for pk in gone - self.by_hand:
            ends = before[pk].made_at + MONTH
            assert ends <= self.now, "it went before its end"
            assert not before[pk].wanted, "it went although it was kept"

    def spared(self) -> set[int]:
        """What nothing may end now, whatever its end."""
        said = RowException.objects.filter(kind__in=("hold", "restored"))
        in_force = said.filter(Q(until=None) | Q(until__gt=self.now + timedelta(minutes=1)))
        keys = in_force.values_list("key", flat=True)
        return {*map(int, keys), *Proof.objects.values_list("trace_id", flat=True)}

    def heal(self) -> None:
        """Nothing keeps anything any more, and time enough passes."""
        Proof.objects.all().delete()
        Trace.objects.update(wanted=False)
        for row in Trace.objects.all():
            with suppress(LifecycleError):
                release(row)
        self.now += timedelta(days=8)
        set_clock(self.now)
        for _ in range(3):
            run_due()
            self.now += timedelta(minutes=2)
            set_clock(self.now)


def live(seed: int) -> None:
    """One random life of the table."""
    world = World(seed)
    for _ in range(STEPS):
        world.step()
    world.heal()
    assert Trace.objects.count() == 0
    assert {name: found for name, found in promises.check().items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_is_due_goes_and_nothing_else(seed: int) -> None:
    live(seed)
