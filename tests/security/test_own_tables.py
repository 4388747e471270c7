"""A role says of a table's rows only what it could do to them by itself."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from django.db import connection

from lifecycle import hold
from lifecycle.db.connection import fetch
from lifecycle.install.roles import FUNCTIONS
from lifecycle.models import AgendaEntry, Event, RowException
from tests.security.roles import Roles
from tests.zoo.factories import LiveTokenFactory
from tests.zoo.models import Reading

pytestmark = pytest.mark.django_db(transaction=True)

Refused = psycopg.errors.InsufficientPrivilege
#: rights on the table, and whether they are enough to keep its rows, and to let them end
RIGHTS = {
    "": (False, False),
    "SELECT": (False, False),
    "SELECT, INSERT": (False, False),
    "SELECT, TRUNCATE, REFERENCES, TRIGGER": (False, False),
    "UPDATE ({column})": (True, False),
    "UPDATE": (True, True),
    "DELETE": (True, True),
}
KEEPS = {"hold_placed": True, "restored": True, "hold_released": False, "expired_by_hand": False}
#: model, policy, table, and a column of it; the second one is partitioned
TABLES = [
    ("zoo.token", "tokens", "zoo_token", "label"),
    ("zoo.reading", "readings", "zoo_reading", "region"),
]


def run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


@pytest.fixture
def speaker(roles: Roles) -> Iterator[psycopg.Connection[Any]]:
    """A role with the functions of a site's, and no right on any table of the host."""
    for name in FUNCTIONS["site"]:
        run(f'GRANT EXECUTE ON FUNCTION lifecycle.{name} TO "{roles.stranger}"')
    with roles.session(roles.stranger) as session:
        yield session


@contextmanager
def having(roles: Roles, rights: str, table: str) -> Iterator[None]:
    if rights:
        run(f'GRANT {rights} ON {table} TO "{roles.stranger}"')
    yield
    if rights:
        run(f'REVOKE {rights} ON {table} FROM "{roles.stranger}"')


def told() -> list[Any]:
    """All that must be as before, where somebody is refused."""
    tables = (Event, AgendaEntry, RowException)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def rows_of_each() -> dict[str, Any]:
    return {"zoo.token": LiveTokenFactory(), "zoo.reading": Reading.objects.create(region="a")}


@pytest.mark.slow
@pytest.mark.parametrize(("model", "policy", "table", "column"), TABLES)
def test_what_a_role_may_say_is_what_it_may_do(
    speaker: psycopg.Connection[Any], roles: Roles, model: str, policy: str, table: str, column: str
) -> None:
    row = rows_of_each()[model]
    one, wrong = f"lifecycle.one_v1('bigint', '{row.pk}')", []
    for rights, (keep, end) in RIGHTS.items():
        with having(roles, rights.format(column=column), table):
            for kind, keeps in KEEPS.items():
                detail = {"holds": [hold(row, reason=f"{rights} {kind}")]}
                detail = detail if kind == "hold_released" else {}
                named = "" if kind in ("hold_placed", "hold_released") else policy
                before, may = told(), keep if keeps else end
                text = f"SELECT lifecycle.record_v1(%s, %s, %s, {one}, %s)"
                said = can(speaker, text, kind, named, model, json.dumps(detail))
                if said is not may or (told() != before) is not may:
                    wrong.append((rights, kind))
    assert wrong == []


def can(session: psycopg.Connection[Any], text: str, *params: Any) -> bool:
    with suppress(Refused):
        session.execute(text, params)
        return True
    return False


def test_the_role_is_that_of_set_role(speaker: psycopg.Connection[Any], roles: Roles) -> None:
    row = LiveTokenFactory()
    run(f'ALTER ROLE "{roles.stranger}" NOINHERIT')  # else it has the rights without SET ROLE
    run(f'GRANT "{roles.site}" TO "{roles.stranger}"')
    run(f'GRANT EXECUTE ON FUNCTION lifecycle.record_v1 TO "{roles.site}"')
    one = f"lifecycle.one_v1('bigint', '{row.pk}')"
    text = f"SELECT lifecycle.record_v1('restored', 'tokens', 'zoo.token', {one}, '{{}}')"
    assert not can(speaker, text)
    speaker.execute(f'SET ROLE "{roles.site}"')
    assert can(speaker, text)


#: what Django's signals say of a row of each model, as a function of the policy and the model
SIGNALS: dict[str, Callable[[str, str], str]] = {
    "saved": lambda p, m: f"saved_v1('{p}', '{m}', 'bigint', '7', '2100-01-01', '1 s', false)",
    "unevaluated": lambda p, m: f"unevaluated_v1('{p}', '{m}', 'bigint', '7', '22000')",
    "removed": lambda _, m: f"removed_v1('{m}', 'bigint', '7')",
    "unshown": lambda _, m: f"unshown_v1('{m}', 'file', 'a.txt')",
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_signals_say_nothing_of_tables_that_tell_by_themselves(
    speaker: psycopg.Connection[Any], roles: Roles, signal: str
) -> None:
    before = told()
    speaker.execute(f"SELECT lifecycle.{SIGNALS[signal]('tokens', 'zoo.token')}")
    assert told() == before
    for rights in ("UPDATE", "INSERT", "UPDATE (label)"):  # each can save a row
        before = told()
        with having(roles, rights, "zoo_token"):
            speaker.execute(f"SELECT lifecycle.{SIGNALS[signal]('tokens', 'zoo.token')}")
        assert (told() != before) is (signal in ("saved", "unevaluated")), rights
    before = told()
    speaker.execute(f"SELECT lifecycle.{SIGNALS[signal]('legacy', 'zoo.legacy')}")
    assert told() != before, "of a table without triggers nobody knows better"


PLANTED = """
CREATE TABLE public.planted (id bigint PRIMARY KEY);
CREATE FUNCTION public.pgtrigger_lc_delete_planted() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER pgtrigger_lc_delete_planted AFTER DELETE ON public.planted
    FOR EACH STATEMENT EXECUTE FUNCTION public.pgtrigger_lc_delete_planted();
COMMENT ON FUNCTION public.pgtrigger_lc_delete_planted() IS 'lifecycle zoo.legacy-';
"""


def tables_of(model: str) -> list[str]:
    text = "SELECT place::regclass::text FROM lifecycle.tables_of_v1(%(model)s) AS place"
    return [table for (table,) in fetch("default", text, {"model": model})]


@pytest.mark.parametrize(("model", "tables"), [("zoo.token", ["zoo_token"]), ("zoo.legacy", [])])
def test_a_trigger_that_another_role_has_planted_is_none_of_ours(
    speaker: psycopg.Connection[Any], roles: Roles, model: str, tables: list[str]
) -> None:
    """Else nobody without rights on that table could say anything of the model's rows."""
    run(f'GRANT CREATE ON SCHEMA public TO "{roles.stranger}"')
    speaker.execute(PLANTED.replace("zoo.legacy", model))
    assert tables_of(model) == tables
    for name in ("may_say_v1", "tables_of_v1"):
        run(f'GRANT EXECUTE ON FUNCTION lifecycle.{name} TO "{roles.site}"')
    with roles.session(roles.site) as site:
        may = site.execute("SELECT lifecycle.may_say_v1(%s, 'UPDATE')", [model]).fetchone()
    assert may == (True,)
    name = fetch("default", OURS)[0][0]
    with pytest.raises(Refused):  # nor can ours be put on another table
        speaker.execute(f"CREATE TRIGGER ours AFTER DELETE ON planted EXECUTE FUNCTION {name}")


OURS = """
SELECT tgfoid::regprocedure::text FROM pg_trigger
WHERE tgname LIKE 'pgtrigger_lc_delete%' AND tgrelid = 'zoo_token'::regclass
"""
