"""A schedule from its first step to the oracle's answer."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections

from lifecycle.promises import check as promises
from tests import clock
from tests.faults.oracle import Oracle, wrong
from tests.faults.schedule import Step, drawn, recovers
from tests.faults.site import Site
from tests.faults.world import World, now

PATIENCE = 6.0  # seconds without anything that ends, after which time is made to pass
ROUNDS = 5
LONG = 30.0  # the same where time cannot be made to pass
LATER = 2  # hours, longer than the engine rests after a failure


def run(world: World, seed: int) -> list[str]:
    """What is wrong after the schedule of a seed; empty: all is as it must be."""
    steps = drawn(seed)
    world.begin(proof=recovers(steps))
    try:
        world.start_worker()
        oracle = Oracle()
        site = Site(world, oracle)
        for step in steps:
            act(world, site, step)
        return judged(world, oracle, settle(world, oracle))
    finally:
        world.end()


def act(world: World, site: Site, step: Step) -> None:
    """One step; faults of the world by their names, the others are the site's."""
    fault, recovery = FAULTS.get(step.what), RECOVERY.get(step.what)
    if recovery:
        recovery(world, site)
    elif fault:
        fault(world, **step.how)
    else:
        getattr(site, step.what)(**step.how)


def _recovered(world: World, site: Site) -> None:
    """What the published log says of the time since the backup is done again."""
    if world.proof and site.oracle.backed_up():
        world.restore()
        site.oracle.restored()


def _backed_up(world: World, site: Site) -> None:
    world.back_up()
    site.oracle.back_up()


def _killed(world: World, **how: Any) -> None:
    world.kill_workers()
    world.start_worker()


def _cut(world: World, count: int, **how: Any) -> None:
    world.proxy.cuts = world.proxy.done + count


def _store_fails(world: World, fault: tuple[str, Any], count: int, **how: Any) -> None:
    world.store.fail(*fault, times=count)


RECOVERY = {"back up": _backed_up, "recover": _recovered}
FAULTS: dict[str, Callable[..., None]] = {
    "wait": lambda world, seconds, **how: time.sleep(seconds),
    "kill": _killed,
    "cut": _cut,
    "end sessions": lambda world, **how: world.end_sessions(),
    "crash": lambda world, **how: world.crash(),
    "stop": lambda world, **how: world.stop(),
    "store fails": _store_fails,
    "second worker": lambda world, **how: world.start_worker(),
}


def settle(world: World, oracle: Oracle) -> float:
    """No more faults; until what must go has gone, or no pass ends any more of it. When that was:
    what falls due later is not looked for."""
    world.proxy.cuts = world.proxy.done
    world.store.faults.clear()
    for _ in range(ROUNDS):
        if (moment := _all_gone(world, oracle)) or world.proof:
            return moment or now()
        world.kill_workers()
        _pass_time(world, oracle)
        world.start_worker()
    return now()


def _pass_time(world: World, oracle: Oracle) -> None:
    """All becomes older: what the database remembers, the oracle, and the objects of the store."""
    clock.pass_time(hours=LATER)
    oracle.shift(LATER * 3600.0)
    for stored in world.store.buckets[world.bucket].values():
        stored.at -= timedelta(hours=LATER)


def _all_gone(world: World, oracle: Oracle) -> float | None:
    """The moment at which all was gone that had to; None where some of it stays."""
    left, since = len(oracle.rows) + 1, time.monotonic()
    with connect() as line:
        while time.monotonic() - since < (LONG if world.proof else PATIENCE):
            moment = now()
            found = len(unfinished(world, oracle, line, moment))
            if not found:
                return moment
            if found < left:
                left, since = found, time.monotonic()
            time.sleep(0.05)
    return None


def unfinished(
    world: World, oracle: Oracle, line: "psycopg.Connection[Any]", moment: float
) -> list[str]:
    """What may still become right."""
    found = wrong(oracle, line, objects(world), moment)
    return [each for each in found if "still there" in each or "no event" in each]


def judged(world: World, oracle: Oracle, moment: float) -> list[str]:
    """The oracle's answer as of a moment, and what the promises find."""
    with connect() as line:
        found = wrong(oracle, line, objects(world), moment)
    world.kill_workers()
    for name, violations in promises.check().items():
        found += [f"{name}: {each.subject}: {each.problem}" for each in violations]
    return found


def objects(world: World) -> dict[str, bytes]:
    """What the bucket has, by names."""
    return {name: each.body for name, each in world.store.buckets[world.bucket].copy().items()}


def connect() -> "psycopg.Connection[Any]":
    """A line of the oracle's own."""
    entry = connections["default"].settings_dict
    return psycopg.connect(
        host=entry["HOST"], port=entry["PORT"], user=entry["USER"], dbname=entry["NAME"],
        autocommit=True,
    )  # fmt: skip
