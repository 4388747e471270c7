"""Rows whose end was changed after the backup: none ends before the later one, by itself."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

import lifecycle
from lifecycle.models import Event, RowException
from purge.proof.work import publish_now
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import manage
from tests.purge.proof.support import USING
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_from_proof import RECOVER, whole
from tests.support import run_until_idle
from tests.zoo.models import Life

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
NOW = timezone.now().replace(microsecond=0)
PAST, FUTURE = NOW - DAY, NOW + 40 * DAY
PASSES = timedelta(seconds=1)  # from the backup on, until an end that passes meanwhile


@dataclass(frozen=True)
class Case:
    """One row: what it is in the backup, what becomes of it then, and after the restore.

    stays    whether it is there when all is done
    until    until when it is live by an exception: a time, '' without one, None where there is none
    said     what the report says of it
    """

    change: Callable[[Any], Any]
    passes: bool = False  # whether the end that it has in the backup passes before the restore
    stays: bool = True
    until: datetime | str | None = None
    said: str = ""
    backup: tuple[tuple[str, Any], ...] = ()
    since: Callable[[Any], Any] = lambda row: None


def to(**columns: Any) -> Callable[[Any], Any]:
    return lambda row: row.update(**columns)


def each(*steps: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda row: [step(row) for step in steps]


def held(row: Any) -> None:
    lifecycle.hold(row.get(), reason="case")


def freed(row: Any) -> None:
    lifecycle.release(row.get())


def restored(until: datetime | None = None) -> Callable[[Any], Any]:
    return lambda row: lifecycle.restore(row.get(), until=until)


def by_hand(row: Any) -> None:
    lifecycle.expire_now(row.get())


def passed(row: Any) -> None:
    time.sleep(max(0.0, (row.get().expires_at - timezone.now()).total_seconds() + 0.05))


CASES = {
    "nothing": Case(lambda row: None),
    "nothing, and it ended": Case(lambda row: None, passes=True, stays=False),
    "later": Case(to(expires_at=FUTURE + DAY), until=FUTURE + DAY, said="later"),
    "later, and the old end passed": Case(
        to(expires_at=FUTURE + DAY), passes=True, until=FUTURE + DAY, said="later"
    ),
    "twice": Case(
        each(to(expires_at=FUTURE + 9 * DAY), to(expires_at=FUTURE + DAY)),
        passes=True, until=FUTURE + DAY, said="later",
    ),
    "there and back": Case(each(to(expires_at=FUTURE + DAY), to(expires_at=FUTURE))),
    "later, then it ended": Case(
        each(to(expires_at=FUTURE + DAY), to(expires_at=PAST)), stays=False
    ),
    "later, then by hand": Case(
        each(to(expires_at=FUTURE + DAY), by_hand), stays=False
    ),
    "earlier": Case(to(expires_at=FUTURE - DAY), said="sooner"),
    "earlier, and it ended": Case(to(expires_at=PAST), stays=False),
    "taken back after it had come": Case(
        each(held, passed, to(expires_at=None), freed), passes=True, until="", said="never"
    ),
    "left out after it had come": Case(
        each(held, passed, to(active=False), freed), passes=True, until="", said="never"
    ),
    "taken back, and the old end passed": Case(
        to(expires_at=None), passes=True, until="", said="never"
    ),
    "left out, and the old end passed": Case(
        to(active=False), passes=True, until="", said="never"
    ),
    "later, then left out": Case(
        each(to(expires_at=FUTURE), to(active=False)), passes=True, until=FUTURE, said="later"
    ),
    "left out before it came, which leaves no event": Case(to(active=False)),
    "restored": Case(each(restored()), passes=True, until=""),
    "taken in": Case(
        to(active=True), backup=(("active", False),), said="endless"
    ),
    "kept": Case(to(wanted=True), passes=True, until="", said="kept"),
    "kept, and is by the backup": Case(
        lambda row: None, passes=True, backup=(("wanted", True),)
    ),
    "later, and restored for longer": Case(
        each(to(expires_at=FUTURE + DAY), restored(FUTURE + 2 * DAY)), passes=True,
        until=FUTURE + 2 * DAY, said="later",
    ),
    "later, and restored for less": Case(
        each(to(expires_at=FUTURE + DAY), restored(FUTURE)), passes=True,
        until=FUTURE + DAY, said="later",
    ),
    "later, and restored": Case(
        each(to(expires_at=FUTURE + DAY), restored()), passes=True, until="", said="later"
    ),
    "later, and held": Case(
        each(to(expires_at=FUTURE + DAY), held), passes=True, until=FUTURE + DAY, said="later"
    ),
    "later, then written anew": Case(
        to(expires_at=FUTURE + DAY), passes=True, since=to(expires_at=FUTURE + 3 * DAY)
    ),
    "later, then ended anew": Case(
        to(expires_at=FUTURE + DAY), since=to(expires_at=PAST), stays=False
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("grace", [timedelta(0), DAY], ids=["no grace", "grace"])
def test_none_ends_before_its_later_end(site: Backups, grace: timedelta) -> None:
    soon = timezone.now() + PASSES
    for name, case in CASES.items():
        columns = {"expires_at": soon if case.passes else FUTURE} | dict(case.backup)
        Life.objects.create(label=name, grace=grace, **columns)
    publish_now(USING)
    restore = site.template()
    run_cases("change")
    run_until_idle(timedelta(0))
    time.sleep(max(0.0, (soon - timezone.now()).total_seconds() + 1))
    run_until_idle(timedelta(0))
    publish_now(USING)
    there = labels()
    restore()
    run_cases("since")
    manage(*RECOVER)
    run_until_idle(timedelta(0))
    expected = {name for name, case in CASES.items() if case.stays or grace}
    if grace:  # what only waits for the end of its grace is there, as it was
        assert there <= labels() <= expected
    else:
        assert labels() == expected
        assert said() == {name: case.said for name, case in CASES.items() if case.said}
    assert exceptions() == {
        name: case.until for name, case in CASES.items() if case.until is not None
    }
    count = Event.objects.count()
    manage(*RECOVER)
    assert Event.objects.count() == count
    whole()


def run_cases(step: str) -> None:
    """Of all cases; those that let time pass come last."""
    for name, case in CASES.items():
        getattr(case, step)(Life.objects.filter(label=name))


def labels() -> set[str]:
    return set(Life.objects.values_list("label", flat=True))


def exceptions() -> dict[str, Any]:
    names = {str(pk): label for pk, label in Life.objects.values_list("pk", "label")}
    found = RowException.objects.filter(kind="restored", policy="lives")
    return {names[each.key]: each.until or "" for each in found}


def said() -> dict[str, str]:
    names = {str(pk): label for pk, label in Life.objects.values_list("pk", "label")}
    data = json.loads(manage("lifecycle", "restore-report", "--json"))
    assert_documented("lifecycle restore-report", data)
    return {names[row["name"].partition(":")[2]]: row["says"] for row in data["ends"]["rows"]}
