"""Every type of key x every operation x hostile settings: right, in every cell.

Every type goes through every operation; of the two ways of the settings each type has one here, the
next type the other, and both in tests/soak.
All lines go through one life together, so that a line costs little; what is wrong with one is shown
by its name, the others go on.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models.expressions import RawSQL
from django.db.models.signals import pre_delete
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle import expire_now, hold, release, restore
from lifecycle.compiler.keys import key_of, key_text
from lifecycle.insight.search import entries_about
from lifecycle.insight.why import why
from lifecycle.ledger.row_names import ledger_key, named, parse, row_of
from lifecycle.models import Event
from purge.batch.brakes import why_stopped
from purge.runner import run_due
from tests.backfills import past_triggers, read_again
from tests.keys import hostile
from tests.keys.tables import Line
from tests.promises.support import violations
from tests.support import run_until_idle
from tests.support import session as other_session

pytestmark = pytest.mark.django_db(transaction=True)

DUE, HELD, GONE, LOCKED, RESTORED, FUTURE, BY_HAND, MISSED = range(8)
#: where the settings are: of everybody, of the writers; whether rows go by Django's collector
WAYS: dict[str, tuple[Any, Any, bool]] = {
    "session": (nullcontext, hostile.session, True),
    "database": (hostile.database, nullcontext, False),
}


def hear(**kwargs: Any) -> None:
    """Only has to be there: rows then go by Django's collector."""


class Matrix:
    """What was found, by line and operation."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self.lines = lines
        self.cells: dict[str, dict[str, str]] = defaultdict(dict)

    def each(self, operation: str, check: Callable[[Line], Any], *rows: int) -> None:
        """Ask it of every line that has these rows."""
        for name, line in self.lines.items():
            if any(n >= line.type.count for n in rows):
                continue
            try:
                with (
                    transaction.atomic() if operation not in ("backfill", "load") else nullcontext()
                ):
                    found = check(line)
            except Exception as error:
                found = f"{type(error).__name__} {error}".splitlines()[0]
            self.cells[name][operation] = "right" if found in (True, None) else f"wrong: {found}"

    def there(self, operation: str, *rows: int) -> None:
        """Exactly these rows are in the tables."""

        def check(line: Line) -> Any:
            found = sorted(line.model.objects.values_list("number", flat=True))
            return found == [n for n in rows if n < line.type.count] or found

        self.each(operation, check)

    def table(self) -> str:
        """All of it, to be printed."""
        names = list(next(iter(self.cells.values())))
        head = f"{'':27}" + " ".join(f"{name:>9}" for name in names)
        lines = [
            f"{name:27}" + " ".join(f"{cells.get(op, '-')[:9]:>9}" for op in names)
            for name, cells in self.cells.items()
        ]
        return "\n".join([head, *lines])

    def wrong(self) -> list[str]:
        return [
            f"{name}: {operation}: {found}"
            for name, cells in self.cells.items()
            for operation, found in cells.items()
            if found != "right"
        ]


def write(line: Line) -> None:
    """One statement for the rows; some have a child."""
    past, future = (timezone.now() + timedelta(hours=h) for h in (-5, 5))
    rows = [
        line.row(n, expires_at=future if n in (FUTURE, BY_HAND) else past)
        for n in range(min(line.type.count, MISSED))
    ]
    line.model.objects.bulk_create(rows)
    above = [line.type.key(n) for n in (DUE, FUTURE) if n < line.type.count]
    line.child.objects.bulk_create([line.child(above_id=key) for key in above])


def change(line: Line) -> None:
    later = timezone.now() + timedelta(hours=9)
    line.model.objects.filter(pk=line.type.key(BY_HAND)).update(expires_at=later)


def remove(line: Line) -> None:
    # Not by a collector that reads the row: psycopg reads no times in these styles.
    line.model.objects.filter(pk=line.type.key(GONE))._raw_delete("default")


def respell(line: Line) -> None:
    """The same key in other words."""
    if line.type.respelled:
        other = RawSQL(line.type.respelled, [])
        assert line.model.objects.filter(pk=line.type.key(HELD)).update(key=other) == 1


def kinds(line: Line, n: int) -> list[str]:
    key = key_text(line.model, line.type.key(n))
    return [event.kind for event in why(line.model, key).events]


def is_named(line: Line) -> Any:
    """By what is printed, and by what the ledger shows."""
    for n in range(min(line.type.count, MISSED)):
        if n in (RESTORED, FUTURE):
            name = named(line.row(n))
            label, key = parse(name)
            shown = ledger_key(label, key, "default")
            for one in (name, f"{label._meta.label}:{shown}"):
                row = row_of(one)
                if row.number != n:
                    return f"{one} is {row.number}"
    return True


@contextmanager
def locked(lines: dict[str, Line]) -> Iterator[None]:
    with other_session() as other:
        for line in lines.values():
            if line.type.count > LOCKED:
                key = key_text(line.model, line.type.key(LOCKED))
                given = key_of(line.model).typed("%s")
                text = f"SELECT FROM {line.model._meta.db_table} WHERE key = {given} FOR UPDATE"
                assert other.execute(text, [key]).rowcount == 1, line.name
        yield
        other.rollback()


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("jo"))
    return client


@pytest.fixture
def heard(request: pytest.FixtureRequest, lines: dict[str, Line]) -> Iterator[None]:
    models = [line.model for line in lines.values()] if WAYS[request.param][2] else []
    for model in models:
        pre_delete.connect(hear, model)
    yield
    for model in models:
        pre_delete.disconnect(hear, model)


@pytest.fixture
def taken(request: pytest.FixtureRequest, lines: dict[str, Line]) -> dict[str, Line]:
    """Every other line, beginning with another one in each way."""
    first = [*WAYS].index(request.node.callspec.params["way"])
    return dict([*lines.items()][first :: len(WAYS)])


@pytest.mark.slow
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("way", "heard"), [(way, way) for way in WAYS], ids=WAYS, indirect=["heard"]
)
def test_every_cell_is_right(way: str, taken: dict[str, Line], admin: Client) -> None:
    everywhere, by_writers, _ = WAYS[way]
    with everywhere():
        matrix = Matrix(taken)
        with by_writers():
            live_through_words(matrix)
        live_through_passes(matrix)
        with by_writers():
            matrix.each("release", lambda line: release(line.row(HELD)) == 1, HELD)
            matrix.each("by hand", lambda line: expire_now(line.row(BY_HAND)), BY_HAND)
        run_until_idle()
        matrix.there("ended", RESTORED, FUTURE)
        live_through_looks(matrix, admin)
        live_again(matrix)
        broken, told = violations(), Counter(Event.objects.values_list("kind", flat=True))
        standings = {why_stopped(line.policy) for line in taken.values()}
    print(f"\n{way}\n{matrix.table()}\n{told}\n{standings}")
    assert matrix.wrong() == []
    assert broken == []
    assert told["purged"]


def live_through_words(matrix: Matrix) -> None:
    """What a site writes and what people say, in sessions of theirs."""
    matrix.each("insert", write)
    matrix.each("update", change, BY_HAND)
    matrix.each("delete", remove, GONE)
    matrix.each("hold", lambda line: hold(line.row(HELD)) and None, HELD)
    matrix.each("restore", lambda line: restore(line.row(RESTORED)), RESTORED)
    matrix.each("respell", respell, HELD)
    matrix.each("live", lambda line: line.model.objects.live().count() == 4, BY_HAND)
    matrix.each("ended by", lambda line: line.model.objects.tombstoned().count() == 2, BY_HAND)


def live_through_passes(matrix: Matrix) -> None:
    """One row of each set is gone, one is locked."""
    with locked(matrix.lines):
        run_due()
        matrix.there("locked", HELD, LOCKED, RESTORED, FUTURE, BY_HAND)
    run_until_idle()
    matrix.there("purge", HELD, RESTORED, FUTURE, BY_HAND)
    matrix.each("children", lambda line: line.child.objects.count() == (line.type.count > FUTURE))


def live_through_looks(matrix: Matrix, admin: Client) -> None:
    """What people are shown."""
    matrix.each("why", lambda line: kinds(line, DUE)[0] == "purged")
    matrix.each("why held", lambda line: {"hold_placed", "hold_released"} <= {*kinds(line, HELD)})
    matrix.each("names", is_named)
    matrix.each("why gone", lambda line: kinds(line, GONE)[0] == "deleted", GONE)
    matrix.each("agenda", lambda line: bool(entries_about(*parse(named(line.row(FUTURE))))), FUTURE)

    def page(line: Line) -> Any:
        text = admin.get(reverse("admin:lifecycle_row"), {"row": named(line.row(DUE))}).text
        return "purged" in text or "the page says nothing of it"

    matrix.each("admin", page)


def live_again(matrix: Matrix) -> None:
    """A backup brings rows back; others come past the triggers."""
    past = timezone.now() - timedelta(hours=5)
    with past_triggers():
        matrix.each("", lambda line: line.row(DUE, expires_at=past).save(force_insert=True))
    with suppress(CommandError):  # rows were left: the tables say which
        call_command("purge", "--replay", "--yes", "--actor", "jo", verbosity=0)
    matrix.there("replay", RESTORED, FUTURE)
    with past_triggers():
        matrix.each(
            "", lambda line: line.row(MISSED, expires_at=past).save(force_insert=True), MISSED
        )
    matrix.each("backfill", lambda line: read_again(line.policy.name) == 1, MISSED)
    run_until_idle()
    matrix.there("listed", RESTORED, FUTURE)
