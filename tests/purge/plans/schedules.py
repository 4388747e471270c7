"""Random schedules: what happens to rows between a plan and the end of its being applied.

Rows are made, a plan is made of some of them, rows are written, deleted, inserted again under the
same key, held, restored, kept, and rows that would go along with them made, written, moved,
deleted; the plan is applied, maybe torn off in the middle and gone on with after more of that. An
account in Python says which rows may have ended: rows of the plan, in the same life and version,
that nothing keeps, with which no row goes that is not as it was. No other one may be gone, and none
of those may be left.
"""

import random
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import transaction
from django.test import override_settings
from django.utils import timezone

import purge
from lifecycle import hold, release, restore
from lifecycle.policy.registry import get_policy
from purge.models import PlanPart
from purge.plans import carry_out as carrying
from purge.plans import make as making
from purge.sources import planned
from tests.zoo.models import Coupon, Draft, Line, Order, Picture

ROWS, STEPS = (2, 6), (0, 6)
TOGETHER, TORN, WITH_A_LINE = 25, 0.5, 0.7
REASON, ACTOR = "schedule", "sam"


class TornOff(Exception):
    """The process has gone, in the middle of a transaction."""


class Schedule:
    """A few rows and what becomes of them, all of it from its seed."""

    def __init__(self, seed: int, model: Any, policy: str) -> None:
        self.random = random.Random(seed)
        self.seed, self.model, self.policy, self.made, self.writes = seed, model, policy, 0, 0
        self.lives: dict[Any, int] = {}  # key -> the number of the write that made it what it is
        self.held: dict[Any, list[int]] = {}
        self.spared: set[Any] = set()  # restored or kept
        self.ended: set[Any] = set()  # by the first part of a plan that was torn off
        self.planned: dict[Any, int] = {}  # key -> what it was when the plan was made
        self.along: dict[Any, tuple[Any, int]] = {}  # a line -> its order, and what it is
        self.planned_along: dict[Any, tuple[Any, int]] = {}
        self._insert(self.random.randint(*ROWS))
        count = self.random.randint(1, len(self.lives))
        self.wanted = self.random.sample(sorted(self.lives), count)

    def note_plan(self) -> None:
        """The plan is made now."""
        self.planned = {key: self.lives[key] for key in self.wanted}
        self.planned_along = dict(self.along)

    def note_gone(self, there: set[Any]) -> list[str]:
        """What the first part has ended; which of it must not have ended."""
        gone = sorted(key for key in self.lives if key not in there)
        wrong = [f"seed {self.seed}: {key} ended early" for key in gone if not self._may_end(key)]
        for key in gone:
            self.lives.pop(key)
            self._forget_lines(key)
            self.ended.add(key)
        return wrong

    def wrong(self, there: set[Any], passed: set[Any]) -> list[str]:
        """What is not as it must be in the end; `passed` were left out by a part before."""
        found = []
        for key in self.lives:
            may = self._may_end(key)
            if key not in there and not may:
                found.append(f"seed {self.seed}: {key} has ended, and must not")
            if key in there and may and key not in passed:
                found.append(f"seed {self.seed}: {key} is left, and had to go")
        return found

    def _may_end(self, key: Any) -> bool:
        same = self.planned.get(key) == self.lives.get(key) and all(
            self.planned_along.get(line) == was for line, was in self.along.items() if was[0] == key
        )
        return same and not self.held.get(key) and key not in self.spared

    # ------------------------------------------------------------- what happens
    def happen(self) -> None:
        """Some acts, of the site and of people."""
        acts = [self._write, self._delete, self._again, self._hold, self._release, self._restore,
                self._insert, self._keep, self._take_back, self._revive]  # fmt: skip
        if self.model is Order:
            acts += [self._add_line, self._write_line, self._move_line, self._delete_line]
        for _ in range(self.random.randint(*STEPS)):
            self.random.choice(acts)()

    def _any(self) -> Any:
        return self.random.choice(sorted(self.lives)) if self.lives else None

    def _insert(self, count: int = 1) -> None:
        for _ in range(count):
            self.made += 1
            key = f"{self.seed}-{self.made}" if self.model is Coupon else None
            self._create(key)

    def _create(self, key: Any) -> None:
        now = timezone.now()
        values: dict[str, Any] = {"pk": key} if key is not None else {}
        name, ago = ("created_at", 0) if self.model is Draft else ("expires_at", -1)
        values[name] = now - timedelta(days=ago)
        row = self.model._default_manager.create(**values)
        self._note(row.pk)
        if self.model is Order and self.random.random() < WITH_A_LINE:
            self._add_line(row.pk)

    def _add_line(self, key: Any = None) -> None:
        key = self._any() if key is None else key
        if key is not None:
            self._note_line(Line.objects.create(order_id=key).pk, key)

    def _note_line(self, line: Any, key: Any) -> None:
        self.writes += 1
        self.along[line] = (key, self.writes)

    def _line(self) -> Any:
        return self.random.choice(sorted(self.along)) if self.along else None

    def _write_line(self) -> None:
        if (line := self._line()) is not None:
            Line.objects.get(pk=line).save()  # the same values
            self._note_line(line, self.along[line][0])

    def _move_line(self) -> None:
        if (line := self._line()) is not None:
            key = self._any()
            Line.objects.filter(pk=line).update(order_id=key)
            self._note_line(line, key)

    def _delete_line(self) -> None:
        if (line := self._line()) is not None:
            Line.objects.filter(pk=line).delete()
            del self.along[line]

    def _forget_lines(self, key: Any) -> None:
        """They have gone along."""
        self.along = {line: was for line, was in self.along.items() if was[0] != key}

    def _note(self, key: Any) -> None:
        self.writes += 1
        self.lives[key] = self.writes

    def _write(self) -> None:
        if (key := self._any()) is not None:
            self.model._default_manager.get(pk=key).save()  # the same values
            self._note(key)

    def _take_back(self) -> None:
        """A transaction that comes to nothing leaves the row as it is."""
        if (key := self._any()) is not None:
            with transaction.atomic():
                self.model._default_manager.filter(pk=key).delete()
                transaction.set_rollback(True)

    def _delete(self) -> Any:
        if (key := self._any()) is not None:
            self.model._default_manager.get(pk=key).delete()
            self.lives.pop(key)
            self._forget_lines(key)
            self.spared.discard(key)
        return key

    def _again(self) -> None:
        """Another row under the same key, maybe with the same values."""
        if (key := self._any()) is not None:
            row = self.model._default_manager.get(pk=key)
            values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
            row.delete()
            self._forget_lines(key)
            self.model._default_manager.create(**values)
            self._note(key)
            self.spared.discard(key)

    def _revive(self) -> None:
        """A new row under a key of the plan that has just ended."""
        if self.ended:
            key = self.random.choice(sorted(self.ended))
            self.ended.discard(key)
            self._create(key)

    def _hold(self) -> None:
        if (key := self._any()) is not None:
            row = self.model._default_manager.get(pk=key)
            self.held.setdefault(key, []).append(hold(row, reason=f"h{self.random.random()}"))

    def _release(self) -> None:
        held = sorted(key for key in self.held if self.held[key])
        if held:
            release(self.held[self.random.choice(held)].pop())

    def _restore(self) -> None:
        if (key := self._any()) is not None:
            restore(self.model._default_manager.get(pk=key), policy=self.policy)
            self.spared.add(key)

    def _keep(self) -> None:
        if self.model is Draft and (key := self._any()) is not None:
            Picture.objects.create(draft_id=key)
            self.spared.add(key)


class World:
    """Some schedules whose rows one plan has, as a plan has rows of many histories."""

    def __init__(self, seeds: range) -> None:
        self.random = random.Random(seeds.start)
        self.model: Any = (Coupon, Draft, Order)[seeds.start // TOGETHER % 3]
        policy = {Coupon: "coupons", Draft: "drafts", Order: "orders"}[self.model]
        self.each = [Schedule(seed, self.model, policy) for seed in seeds]
        rows = self.model._default_manager.filter(pk__in=[k for s in self.each for k in s.wanted])
        self.made = purge.plan("purge", rows, REASON, policy=policy, actor=ACTOR)
        for schedule in self.each:
            schedule.note_plan()

    def run(self) -> list[str]:
        """What is wrong afterwards; nothing where all is well."""
        wrong, passed = [], set[Any]()
        self._happen()
        purge.apply_plan(self.made.pk, self.made.rows, ACTOR)
        if self.random.random() < TORN:
            self._tear_off()
            there, passed = self._there(), self._left()
            wrong += [each for schedule in self.each for each in schedule.note_gone(there)]
            self._happen()
        carrying.carry_out(self.made.pk)
        there = self._there()
        wrong += [each for schedule in self.each for each in schedule.wrong(there, passed)]
        self.made.refresh_from_db()
        return wrong + ([] if self.made.state == "done" else [f"it is {self.made.state}"])

    def clear(self) -> None:
        """Leave nothing for the next one."""
        for schedule in self.each:
            for number in (number for numbers in schedule.held.values() for number in numbers):
                release(number)
        for model in (Picture, Draft, Coupon, Line, Order):
            model._default_manager.all().delete()

    def _happen(self) -> None:
        for schedule in self.each:
            schedule.happen()

    def _tear_off(self) -> None:
        """Go on with it until the process goes: in the transaction of some slice."""
        left, done_with = self.random.randint(0, 8), planned.done_with

        def torn(*args: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise TornOff
            return done_with(*args)

        with patch.object(planned, "done_with", torn), suppress(TornOff):
            carrying.carry_out(self.made.pk)

    def _left(self) -> set[Any]:
        read = self.model._meta.pk.to_python
        found = PlanPart.objects.filter(plan=self.made).values_list("left", flat=True)
        return {read(key) for left in found for keys in left.values() for key in keys}

    def _there(self) -> set[Any]:
        return set(self.model._default_manager.values_list("pk", flat=True))


def run(seeds: range) -> list[str]:
    """What is wrong of schedules, in one database; their plans are done in small parts."""
    wrong: list[str] = []
    with ExitStack() as changed:
        changed.enter_context(override_settings(LIFECYCLE_THROTTLE=None))
        changed.enter_context(patch.object(making, "PART", 29))
        for policy in map(get_policy, ("coupons", "drafts", "orders")):
            changed.enter_context(patch.object(policy, "batch_rows", 13))
            changed.enter_context(patch.object(policy, "cap_rows", 10**9))
        for first in range(seeds.start, seeds.stop, TOGETHER):
            world = World(range(first, min(first + TOGETHER, seeds.stop)))
            wrong += world.run()
            world.clear()
    return wrong
