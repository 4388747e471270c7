"""Statements that are sent together are no less apart than those that are sent one by one."""

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction

from lifecycle.db.connection import (
    Answer,
    Placed,
    Query,
    Raw,
    fetch_each,
    own_transaction,
    statement,
)
from purge.batch.cascade import after
from tests.support import Background, session, wait_until, waits_for

pytestmark = pytest.mark.django_db(transaction=True)
GATE = 4_712


def test_each_sees_what_was_committed_before_it_began() -> None:
    """A look after a lock is later than the lock: what came while it was waited for counts."""
    waiting = Query("SELECT pg_advisory_xact_lock(%(gate)s)", {"gate": GATE})
    looking = Query("SELECT name FROM auth_group")

    def look() -> list[Answer]:
        with own_transaction("default"):
            return fetch_each("default", looking, waiting, looking)

    with session() as keeper:
        keeper.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
        found = Background(look)
        wait_until(lambda: waits_for(keeper.info.backend_pid))
        Group.objects.create(name="meanwhile")
        keeper.rollback()
        first, _, last = found.result()
    assert first.rows == []
    assert last.rows == [("meanwhile",)]


def test_answers_come_in_order_with_what_was_changed() -> None:
    Group.objects.bulk_create(Group(name=name) for name in ("50%", "a;b", "'"))
    name = Query("SELECT name FROM auth_group WHERE name = %(name)s -- a; 'comment", {"name": "'"})
    gone = Query("DELETE FROM auth_group WHERE name LIKE '%%;%%' OR name = %(name)s", {"name": "'"})
    plain = Query("SELECT count(*) FROM auth_group WHERE name LIKE '%'")
    assert fetch_each("default", name, gone, plain) == [([("'",)], 1), ([], 2), ([(1,)], 1)]


def test_nothing_is_run_after_an_error() -> None:
    write = Query("INSERT INTO auth_group (name) VALUES ('later')")
    with pytest.raises(DatabaseError, match="division by zero"), transaction.atomic():
        fetch_each("default", write, Query("SELECT 1 / 0"), write)
    assert not Group.objects.exists()
    with transaction.atomic():
        fetch_each("default", Query("SAVEPOINT before_it"), write)
        with pytest.raises(DatabaseError, match="division by zero"):
            fetch_each("default", Query("SELECT 1 / 0"), write)
        fetch_each("default", Query("ROLLBACK TO SAVEPOINT before_it"))
    assert not Group.objects.exists()


def test_a_text_is_no_name_though_both_are_equal() -> None:
    """Statements are made once for what they are filled with: a name stays a quoted one."""
    kinds = (str, Raw, Placed)
    named, raw, placed = (
        statement(after.__file__, "is_left", table=kind("a%b"), rows=Raw("true")) for kind in kinds
    )
    assert 'FROM "a%b" ' in named
    assert "FROM a%%b " in raw
    assert "FROM a%b " in placed
