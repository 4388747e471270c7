"""A schedule drawn from a seed: the same seed gives the same steps."""

import random
from dataclasses import dataclass, field
from typing import Any

KINDS = ("note", "photo", "line")
#: What a step is, and how often it is drawn.
STEPS = {
    "write": 10, "delete": 2, "extend": 3, "hold": 3, "release": 2, "restore": 2, "expire": 2,
    "wait": 6, "kill": 4, "cut": 3, "end sessions": 2, "crash": 1, "stop": 1, "store fails": 4,
    "second worker": 1, "back up": 2, "recover": 1,
}  # fmt: skip
#: When a new row is due, in seconds from now; `FAR` is beyond the end of each schedule.
FAR = 10 * 86_400.0
DUE = (-3600.0, -1.0, 0.3, 0.8, FAR)
STORE_FAULTS = (
    ("PUT", 503), ("PUT", "cut"), ("PUT", "cut after"), ("PUT", "lose"), ("GET", "flip"),
    ("GET", "truncate"), ("GET", 500), ("HEAD", 503), ("LIST", 503), ("LIST", "cut"),
    ("DELETE_OBJECTS", 500), ("DELETE_OBJECTS", "cut"), ("DELETE_OBJECTS", "cut after"),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What is done; `how` are its numbers, each from 0 up to but without 1, and its choices."""

    what: str
    how: dict[str, Any] = field(default_factory=dict)


def drawn(seed: int) -> list[Step]:
    """Up to 30 steps; the first writes.

    Where a backup is restored the ledger is sealed, and its store does not fail: after a failure
    the engine rests for minutes, and of sealed events none can be made older.
    """
    chance = random.Random(seed)
    names = chance.choices(list(STEPS), list(STEPS.values()), k=chance.randint(11, 29))
    steps = [_step(name, chance) for name in ["write", *names]]
    return [step for step in steps if step.what != "store fails"] if recovers(steps) else steps


def recovers(steps: list[Step]) -> bool:
    """Whether a backup is made and restored."""
    names = [step.what for step in steps]
    return "recover" in names and "back up" in names[: names.index("recover")]


def _step(what: str, chance: random.Random) -> Step:
    how: dict[str, Any] = {"at": chance.random(), "count": chance.choice((1, 1, 2, 5, 30))}
    if what == "write":
        how |= {
            "kind": chance.choice(KINDS),
            "due": chance.choice(DUE),
            "bulk": chance.random() < 0.5,
        }
    if what == "wait":
        how |= {"seconds": chance.uniform(0.02, 0.25)}
    if what == "cut":
        how |= {"count": chance.randint(1, 3)}
    if what == "store fails":
        how |= {"fault": chance.choice(STORE_FAULTS), "count": chance.randint(1, 4)}
    return Step(what, how)
