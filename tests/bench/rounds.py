"""Paired rounds: both sides in turn, in changing order; the median of their ratios counts."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from tests.bench.server import processor, settle

T = TypeVar("T")


@dataclass
class Result:
    """One line of the report: the values of all rounds, and what they should reach."""

    name: str
    values: list[float]
    target: str = ""
    unit: str = "x"
    note: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the median meets the target; None without one."""
        if not self.target:
            return None
        sign, limit = self.target.split()[:2]
        return self.ratio <= float(limit) if sign == "<=" else self.ratio >= float(limit)


@dataclass
class Plan:
    """How much is measured."""

    rounds: int = 7
    rows: int = 100_000
    singles: int = 300
    keys: int = 300
    agenda: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    results: list[Result] = field(default_factory=list)
    tell: Callable[[str], None] = print

    def add(self, *results: Result) -> None:
        """Keep results, and say that they are there."""
        for result in results:
            self.results.append(result)
            self.tell(f"{result.name}: {result.ratio:.3g} {result.unit} {result.target}")


def quick() -> Plan:
    """So little that the figures mean nothing."""
    return Plan(rounds=1, rows=500, singles=10, keys=10, agenda=(1_000, 2_000, 4_000))


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


class Spent(NamedTuple):
    """Seconds by the clock, and on the processor: of this process and its backend; 0: not known."""

    clock: float
    processor: float

    def __add__(self, other: Any) -> "Spent":
        return Spent(self.clock + other.clock, self.processor + other.processor)


def spent(action: Callable[[], object]) -> Spent:
    """What an action takes. The clock of a busy machine says less than the processor's time."""
    before = processor(), time.process_time()
    clock = timed(action)
    backend, own = processor() - before[0], time.process_time() - before[1]
    return Spent(clock, backend / 1e9 + own if backend else 0.0)


def paired(
    plan: Plan, *sides: Callable[[], T], fresh: Callable[[], None] | None = None
) -> list[list[T]]:
    """What each side gives in each round; every second round runs them in reverse order."""
    seconds: list[list[T]] = [[] for _ in sides]
    for turn in range(plan.rounds):
        if fresh:
            fresh()
        order = range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            settle()
            seconds[side].append(sides[side]())
    return seconds


def over(these: list[float], those: list[float]) -> list[float]:
    """Round by round, the first divided by the second."""
    return [a / b for a, b in zip(these, those, strict=True)]
