"""Tables on which a DELETE fails, or deletes nothing: that row is blocked, the others go.

Each form is a line: the SQL that makes it, and what the ledger then says of the stuck row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_delete
from django.utils import timezone

from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.zoo.models import Line, Order, Token

pytestmark = pytest.mark.django_db(transaction=True)

STUCK = "stuck"
RAISES = "BEGIN IF OLD.label = 'stuck' THEN RAISE EXCEPTION 'no' {}; END IF; RETURN OLD; END"
FORMS = {
    "raises": ("BEFORE", RAISES.format(""), {"error": "ProgrammingError", "sqlstate": "P0001"}),
    "raises 55000": (
        "BEFORE", RAISES.format("USING ERRCODE = '55000'"),
        {"error": "OperationalError", "sqlstate": "55000"},
    ),
    "raises a code of its own": (
        "AFTER", RAISES.format("USING ERRCODE = 'ZZ001'"),
        {"error": "DatabaseError", "sqlstate": "ZZ001"},
    ),
    "raises at the commit": ("CONSTRAINT", RAISES.format(""), {"sqlstate": "P0001"}),
    "swallows": (
        "BEFORE",
        "BEGIN IF OLD.label = 'stuck' THEN RETURN NULL; END IF; RETURN OLD; END",
        {"error": "NotDeleted"},
    ),
    "deletes softly": (
        "BEFORE",
        "BEGIN IF OLD.label = 'stuck' THEN UPDATE zoo_token SET active = active WHERE id = OLD.id;"
        " RETURN NULL; END IF; RETURN OLD; END",
        {"error": "NotDeleted"},
    ),
    "is written again": (
        "AFTER",
        "BEGIN IF OLD.label = 'stuck' THEN INSERT INTO zoo_token SELECT OLD.*; END IF;"
        " RETURN OLD; END",
        {"error": "NotDeleted"},
    ),
    "is written again at the commit": (
        "CONSTRAINT",
        "BEGIN IF OLD.label = 'stuck' THEN INSERT INTO zoo_token SELECT OLD.*; END IF;"
        " RETURN OLD; END",
        {"error": "NotDeleted"},
    ),
    "has a rule": ("RULE", "", {"error": "NotDeleted"}),
}  # fmt: skip


@contextmanager
def formed(when: str, body: str, table: str = "zoo_token") -> Iterator[None]:
    """The table as the form has it."""
    made = f"CREATE TRIGGER stubborn {when} DELETE ON {table} FOR EACH ROW"
    if when == "CONSTRAINT":
        made = f"CREATE CONSTRAINT TRIGGER stubborn AFTER DELETE ON {table} INITIALLY DEFERRED"
        made += " FOR EACH ROW"
    made = (
        f"CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;"
        f" {made} EXECUTE FUNCTION stubborn()"
    )
    undone = "DROP FUNCTION stubborn CASCADE"
    if when == "RULE":
        made = (
            f"CREATE RULE stubborn AS ON DELETE TO {table} WHERE OLD.label = 'stuck'"
            f" DO INSTEAD UPDATE {table} SET active = active WHERE id = OLD.id"
        )
        undone = f"DROP RULE stubborn ON {table}"
    run(made)
    try:
        yield
    finally:
        run(undone)


def run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def tokens() -> Token:
    """Two that go, and between them one that is stuck."""
    past = timezone.now() - timedelta(minutes=5)
    Token.objects.bulk_create([Token(expires_at=past, label=label) for label in ("", STUCK, "")])
    return Token.objects.get(label=STUCK)


def hear(**kwargs: Any) -> None:
    """Only has to be there: rows then go by Django's collector."""


@pytest.mark.parametrize("heard", [False, True], ids=["in sets", "by the collector"])
@pytest.mark.parametrize("form", FORMS)
def test_only_the_row_that_is_stuck_stays(form: str, heard: bool) -> None:
    when, body, reason = FORMS[form]
    stuck = tokens()
    if heard:
        post_delete.connect(hear, Token)
    try:
        with formed(when, body):
            run_due()
            assert list(Token.objects.all()) == [stuck]
            event = Event.objects.get(kind="blocked")
            assert event.subjects == [str(stuck.pk)]
            assert reason.items() <= event.detail.items()
            assert AgendaEntry.objects.get().event_id == event.pk  # it is tried again
    finally:
        post_delete.disconnect(hear, Token)
    purged = [key for one in Event.objects.filter(kind="purged") for key in one.subjects or ()]
    assert len(purged) == 2
    assert str(stuck.pk) not in purged
    assert not Event.objects.filter(kind="deleted").exists()


@pytest.mark.slow
def test_children_of_a_row_whose_child_is_kept_stay() -> None:
    """A child that is deleted softly would be an orphan."""
    past = timezone.now() - timedelta(minutes=5)
    order, other = (Order.objects.create(expires_at=past, grace=timedelta(0)) for _ in range(2))
    Line.objects.bulk_create([Line(order=order), Line(order=order), Line(order=other)])
    kept = Line.objects.filter(order=order).latest("pk")
    swallow = f"BEGIN IF OLD.id = {kept.pk} THEN RETURN NULL; END IF; RETURN OLD; END"
    with formed("BEFORE", swallow, "zoo_line"):
        run_due()
    assert list(Order.objects.all()) == [order]
    assert Line.objects.filter(order=order).count() == Line.objects.count() == 2
    assert Event.objects.get(kind="blocked").subjects == [str(order.pk)]


@pytest.mark.parametrize("heard", [False, True], ids=["in sets", "by the collector"])
def test_a_row_that_a_trigger_of_the_host_deletes_along_is_told_by_its_own_key(heard: bool) -> None:
    """As many rows as the batch has: they are not taken for the batch's."""
    due = Token.objects.create(expires_at=timezone.now() - timedelta(minutes=5))
    along = Token.objects.create(expires_at=timezone.now() + timedelta(days=5), label="along")
    deletes = "DELETE FROM zoo_token WHERE label = 'along' AND id <> OLD.id;"
    if heard:
        post_delete.connect(hear, Token)
    try:
        with formed("BEFORE", f"BEGIN {deletes} RETURN OLD; END"):
            run_due()
    finally:
        post_delete.disconnect(hear, Token)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, cause FROM lifecycle_event, lifecycle.keys_v1(id) AS key"
            " WHERE kind = 'purged' ORDER BY id"
        )
        assert {*cursor.fetchall()} == {(str(along.pk), "cascade"), (str(due.pk), "")}
    assert not Token.objects.exists()
