"""After every test that commits, the promises are checked on what it has left in the database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections

from lifecycle.promises import check as promises

ANY_TIME = timedelta(days=10_000)  # a test may end before a worker has come
TOO_LARGE = 3_000  # events; tests about size check the promises themselves, if at all

#: What has to be in the ledger for a promise to be broken; of the others everything can break it.
#: `orphans` are entries of files. That this is so, each test shows that plants a violation.
BROKEN_BY = {
    1: {"purged"},
    2: {"purged", "deleted", "updated"},
    3: {"purged", "archived", "updated"},
    4: {"media_purged", "orphans"},
    5: {"purged", "archived"},
    9: {"purged", "tombstoned", "updated"},
    12: {"purged", "deleted"},
    13: {"purged"},
    14: {"purged", "tombstoned", "updated"},
}
LEDGER = """
SELECT count(*), coalesce(sum(count), 0), array_agg(DISTINCT kind::text) ||
    (SELECT array_agg(DISTINCT 'orphans'::text) FROM lifecycle_agenda WHERE policy = '')
FROM lifecycle_event
"""


@pytest.fixture(autouse=True)
def _promises_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test, also one that passed, whose database breaks a promise.

    Such a failure is a bug of the code under test. A test that breaks a promise on purpose says
    which: `@pytest.mark.plants(3)`.
    """
    if not commits(request):
        yield
        return
    # Asked for here, so that it is torn down, and the tables emptied, only after this check.
    request.getfixturevalue("transactional_db")
    yield
    planted = {number for mark in request.node.iter_markers("plants") for number in mark.args}
    also = {13} if 12 in planted else set()  # by identity both find a purged row that is back
    broken = violations(planted | also)
    asked = asked_for() or planted
    broken += [f"{each} (it would not be asked)" for each in found_of(planted - asked)]
    if broken:
        pytest.fail("the test leaves broken promises:\n" + "\n".join(broken), pytrace=False)


def commits(request: pytest.FixtureRequest) -> bool:
    """Whether a test works on the database outside a transaction of its own."""
    mark = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server", "django_db_reset_sequences"}
    return bool(mark and mark.kwargs.get("transaction")) or bool(asked & {*request.fixturenames})


def violations(planted: set[int] | None = None, stated: timedelta = ANY_TIME) -> list[str]:
    """What breaks a promise now, but for those that are broken on purpose."""
    return found_of(asked_for() - (planted or set()), stated)


def found_of(numbers: set[int], stated: timedelta = ANY_TIME) -> list[str]:
    """What breaks one of these promises."""
    chosen = [name for name in promises.names() if number_of(name) in numbers]
    found = promises.check(stated=stated, only=chosen) if chosen else {}
    return [
        f"{name}: event {each.event}, {each.subject}: {each.problem}"
        for name, those in found.items()
        for each in those
    ]


def asked_for() -> set[int]:
    """The promises that what is in the ledger could break."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('lifecycle_event') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute(LEDGER)
        events, subjects, kinds = cursor.fetchone()
    if events > TOO_LARGE or subjects > 20 * TOO_LARGE:
        return set()
    every = {number_of(name) for name in promises.names()}
    return {n for n in every if n not in BROKEN_BY or BROKEN_BY[n] & {*(kinds or ())}}


def number_of(name: str) -> int:
    """The number of a promise, from the name of its check."""
    return int(name.split("_")[1])
