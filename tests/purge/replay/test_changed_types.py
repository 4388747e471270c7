"""A field of a declared identity gets another type: a row that came back is known, or unsure.

Never is another row ended for it, and never is it taken for a newer one without a word.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection

from lifecycle.capture.triggers import triggers_on
from lifecycle.promises.check import check
from lifecycle.testing import capture_off
from purge.replay.model import Replay
from purge.replay.plan import carry_out, plan
from tests.purge.replay.dumps import dump, load
from tests.zoo.models import Member, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(2, 11, 12, 13)]

PROMISES = ["promise_12_ended_stays_ended", "promise_13_what_was_purged_is_gone"]


class Form(NamedTuple):
    """A type of a column, and whether it may be NULL."""

    type: str
    null: bool = True


class Change(NamedTuple):
    """A migration of the field `seq`, whose value is SQL; `other` is that of a newer row."""

    was: Form
    now: Form
    value: str
    other: str
    verdict: str = "ended"
    newer: str = "unsure"
    by: str = "seq"  # how the migration converts


INTEGER, BIGINT, TEXT = Form("integer"), Form("bigint"), Form("text")
SECONDS = Form("timestamp(0) with time zone")
FINE = Form("timestamp with time zone")
UNSURE = (
    "unsure: seq has another type than when it ended",
    "unsure: a column of its identity has been altered since it ended",
)
REFUSED = "blocked: DataError"
NEWER = "newer: another row under an old key"
ID = "'0190a5c8-79f0-7000-8000-00000000000{}'"

CHANGES = {
    "a wider integer": Change(INTEGER, BIGINT, "7", "8"),
    "a narrower integer": Change(BIGINT, INTEGER, "-7", "8"),
    "an integer as text": Change(INTEGER, TEXT, "-7", "'8'"),
    "an integer as another text": Change(INTEGER, TEXT, "7", "'8'", "unsure", by="'no ' || seq"),
    "text as an integer": Change(TEXT, INTEGER, "'7'", "8"),
    "text as an integer, spelled otherwise": Change(TEXT, INTEGER, "'07'", "8", "unsure"),
    "text as a UUID": Change(Form("varchar(40)"), Form("uuid"), ID.format(1), ID.format(2)),
    "text as a UUID, spelled otherwise": Change(
        Form("varchar(40)"), Form("uuid"), f"upper({ID.format('a')})", ID.format(2), "unsure"
    ),
    "a UUID as text": Change(Form("uuid"), TEXT, ID.format(1), "'no UUID'"),
    "a longer text": Change(Form("varchar(4)"), Form("varchar(40)"), "'abcd'", "'abce'"),
    "a text that is cut": Change(TEXT, Form("varchar(3)"), "'abcd'", "'abe'", "unsure"),
    "a moment without fractions": Change(
        FINE, SECONDS, "'2024-01-02 03:04:05.6Z'", "'2024-01-02 03:04:09Z'", "unsure"
    ),
    "a moment as a date": Change(
        FINE, Form("date"), "'2024-01-02 03:04:05Z'", "'2024-01-03'", "unsure"
    ),
    "more digits": Change(
        Form("numeric(10, 2)"), Form("numeric(12, 4)"), "'1.50'", "'1.5001'"
    ),
    "may not be NULL any more": Change(INTEGER, Form("integer", False), "7", "8"),
    "may be NULL from now on": Change(Form("integer", False), INTEGER, "7", "NULL"),
    "NULL has become a value": Change(
        INTEGER, Form("integer", False), "NULL", "8", "unsure", by="coalesce(seq, 0)"
    ),
    "not changed": Change(INTEGER, INTEGER, "7", "8", newer=NEWER),
}  # fmt: skip


def run(text: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall() if cursor.description else None


@contextmanager
def seq_of(form: Form, by: str = "NULL") -> Iterator[None]:
    """The table after a migration of `seq`; whatever is in it is converted `by` SQL."""
    field: Any = Visit._meta.get_field("seq")
    null = "DROP NOT NULL" if form.null else "SET NOT NULL"
    run(
        f"ALTER TABLE zoo_visit ALTER seq DROP NOT NULL, ALTER seq TYPE {form.type}"
        f" USING ({by})::{form.type}, ALTER seq {null}"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(field, "rel_db_type", lambda connection: form.type, raising=False)
        patch.setattr(field, "null", form.null)
        _put_trigger()
        yield


def _put_trigger() -> None:
    """What the migration makes of the function that sees rows go."""
    (trigger,) = (each for each in triggers_on("zoo_visit") if each.name == "lc_delete")
    run(str(trigger.compile(Visit).sql))


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    run("TRUNCATE zoo_visit")
    with seq_of(INTEGER):
        pass


def replayed() -> dict[str, str]:
    """The rows that a replay has left, each with the verdict and its reason."""
    how = Replay(actor="ann")
    plan(how)
    return {row.name: f"{row.verdict}: {row.why}".strip(": ") for row in carry_out(how).rows}


@contextmanager
def by_hand(form: Form, by: str = "NULL") -> Iterator[None]:
    """Only the database has another type: neither model nor trigger knows of it."""
    null = "DROP NOT NULL" if form.null else "SET NOT NULL"
    run(
        f"ALTER TABLE zoo_visit ALTER seq DROP NOT NULL, ALTER seq TYPE {form.type}"
        f" USING ({by})::{form.type}, ALTER seq {null}"
    )
    yield


@contextmanager
def taken_over(form: Form, by: str = "NULL") -> Iterator[None]:
    """The field is dropped, and another column has its name, with values of its own."""
    run(
        f"ALTER TABLE zoo_visit ADD spare {form.type};"
        f"UPDATE zoo_visit SET spare = ({by})::{form.type};"
        "ALTER TABLE zoo_visit DROP seq; ALTER TABLE zoo_visit RENAME spare TO seq"
    )
    yield


Way = Callable[[Form, str], AbstractContextManager[None]]


def verdicts(
    change: Change, first: int, member: int, folder: Path, way: Way = seq_of
) -> tuple[str, str]:
    """Of a row that came back, and of another one under the key of one that ended."""
    second = first + 1
    rows = "INSERT INTO zoo_visit (id, member_id, made_at, seq) SELECT n, %s, '2024-01-01Z', {}"
    with seq_of(change.was):
        run(rows.format(change.value) + " FROM generate_series(%s, %s) AS n", member, first, second)
        path = dump("zoo_visit", folder)
        run("DELETE FROM zoo_visit")
        load(path, triggers=False)
        with (
            nullcontext()
            if change.now == change.was and way is seq_of
            else way(change.now, change.by)
        ):
            with capture_off():
                run(f"UPDATE zoo_visit SET seq = {change.other} WHERE id = %s", second)
            left = replayed()
            if change is CHANGES["a text that is cut"]:
                assert not any(check(only=PROMISES).values()), "no promise takes them for others"
            there = {f"zoo.Visit:{key}" for (key,) in run("SELECT id FROM zoo_visit")}
            assert there == left.keys()
            with capture_off():
                run("DELETE FROM zoo_visit")
    found = [left.get(f"zoo.Visit:{key}", "ended") for key in (first, second)]
    one, other = ("unsure" if each.startswith(UNSURE) else each for each in found)
    return one, other


@pytest.mark.slow
def test_each_change_of_a_type(tmp_path: Path) -> None:
    member = Member.objects.create()
    found = {
        name: verdicts(change, 2 * number, member.pk, tmp_path)
        for number, (name, change) in enumerate(CHANGES.items())
    }
    assert found == {name: (change.verdict, change.newer) for name, change in CHANGES.items()}
    assert Member.objects.filter(pk=member.pk).exists()


@pytest.mark.slow
@pytest.mark.parametrize("way", [by_hand, taken_over])
def test_each_change_that_only_the_database_knows_of(way: Way, tmp_path: Path) -> None:
    """The declaration is as it was. A row that came back is known or unsure, a newer one unsure.

    Refused, both of them, where a value cannot be read as the type of the field.
    """
    member = Member.objects.create()
    chosen = {
        name: change
        for name, change in CHANGES.items()
        if not (way is taken_over and change.now != change.was)
    }
    for number, (name, change) in enumerate(chosen.items()):
        one, other = verdicts(change, 100 + 2 * number, member.pk, tmp_path, way)
        assert one in ("ended", "unsure", REFUSED), name
        assert other in ("unsure", REFUSED), name


def test_what_was_altered_before_an_ending_proves_as_much_as_ever(tmp_path: Path) -> None:
    """And so does what is altered beside the identity."""
    member = Member.objects.create()
    run("ALTER TABLE zoo_visit ALTER seq SET STATISTICS 77")
    change = CHANGES["not changed"]

    @contextmanager
    def beside(form: Form, by: str = "") -> Iterator[None]:
        run("ALTER TABLE zoo_visit ADD spare integer, ALTER member_id SET STATISTICS 77")
        yield
        run("ALTER TABLE zoo_visit DROP spare")

    assert verdicts(change, 900, member.pk, tmp_path, beside) == ("ended", NEWER)
