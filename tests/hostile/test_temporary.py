"""Temporary tables of the session itself, which names find before all others.

A host leaves them behind in its own process, or behind a pooler in a session that the worker gets
next. Whichever table it is: what has to go goes, what has to stay stays, or it is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, release, restore
from lifecycle.db.connection import own_transaction
from lifecycle.db.tables import own_tables
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import Event, PolicyState, RowException
from purge.runner import run_due
from purge.worker.pulse import tick, tick_backfill
from tests.hostile.roles import run
from tests.support import let_pass
from tests.zoo.models import Draft, Life, Member, Picture, Token, Visit

pytestmark = pytest.mark.django_db(transaction=True)

OURS = own_tables()
#: what a batch reads beside the policy's own table: of what keeps a row, of what goes along
BESIDE = ("zoo_picture", "zoo_visit")
HOSTS = ("zoo_token", "zoo_draft", "zoo_member", *BESIDE)
DAY = timedelta(days=1)


@contextmanager
def shadowed(*tables: str) -> Iterator[None]:
    """This session has empty temporary tables of these names."""
    for table in tables:
        run(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS)")
    try:
        yield
    finally:
        for table in tables:
            run(f"DROP TABLE pg_temp.{table}")


@contextmanager
def everything_shadowed() -> Iterator[None]:
    with shadowed(*OURS, *HOSTS):
        yield


def past() -> Any:
    return timezone.now() - 3 * DAY


def site() -> None:
    """A row that goes, one that a row of another table keeps, one that takes a row along."""
    Token.objects.create(expires_at=past())
    kept = Draft.objects.create(status="draft", created_at=past())
    Picture.objects.create(draft=kept)
    member = Member.objects.create(status="draft", expires_at=past())
    Visit.objects.create(member=member)
    run_due()  # the tombstones of those that have a grace
    Token.objects.create(expires_at=past())
    let_pass(2 * DAY)


def left() -> dict[str, int]:
    """How many rows of each table are there, whatever the session calls by these names."""
    found = {}
    with connection.cursor() as cursor:
        for table in HOSTS:
            cursor.execute(f"SELECT count(*) FROM public.{table}")
            found[table] = cursor.fetchone()[0]
    return found


RIGHT = dict.fromkeys(HOSTS, 0) | {"zoo_draft": 1, "zoo_picture": 1}


def passes() -> str:
    """A pass by the command, and what it says on its way."""
    err = StringIO()
    try:
        call_command("purge", verbosity=0, stdout=StringIO(), stderr=err)
    except CommandError as error:
        return f"{err.getvalue()}{error}"
    return err.getvalue()


@contextmanager
def nothing_is_written_into(table: str) -> Iterator[None]:
    with shadowed(table):
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM pg_temp.{table}")
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize("table", HOSTS)
def test_a_table_of_the_site_is_the_sites_or_it_is_told(table: str) -> None:
    site()
    with nothing_is_written_into(table):
        told = passes()
        let_pass(2 * DAY)  # a row that nothing keeps is past its grace then
        told += passes()
    if table in BESIDE:
        assert left() == RIGHT
    assert left() == RIGHT or "another one in its place" in told
    passes()
    assert left() == RIGHT


@pytest.mark.slow
def test_a_table_of_the_package_is_told_and_nothing_ends_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site()
    before = left()
    for table in OURS:
        with nothing_is_written_into(table):
            assert table in passes()
            for look in (run_due, lambda: tick("default"), lambda: tick_backfill("default")):
                caplog.clear()
                _say_again()
                assert not look(), table
                assert table in caplog.text
            said = [m.msg for m in run_checks(databases=["default"]) if m.id == "lifecycle.W111"]
            assert table in " ".join(said)
            for command in ("status", "verify"):
                with pytest.raises((CommandError, SystemExit)) as ended:
                    call_command("lifecycle", command, stdout=StringIO())
                assert table in str(ended.value)
    assert left() == before
    passes()
    assert left() == RIGHT


@pytest.mark.parametrize("table", ["zoo_token", "zoo_draft", "zoo_member"])
def test_it_says_so_of_a_policys_own_table(table: str, caplog: pytest.LogCaptureFixture) -> None:
    site()
    before = left()
    with shadowed(table):
        _say_again()
        run_due()
        assert left()[table] == before[table]
    policy = table.removeprefix("zoo_") + "s"
    assert [r.policy for r in caplog.records if r.action == "elsewhere"] == [policy]  # type: ignore[attr-defined]


def _say_again() -> None:
    """A warning is given once a minute."""
    from purge.batch import brakes

    brakes._warned.clear()


SAYS: dict[str, Callable[[Any], Any]] = {
    "hold": hold,
    "restore": restore,
    "expire": expire_now,
    "pause": lambda row: pause("lives", actor="ann"),
    "hold on all": lambda row: hold("lives"),
}


@pytest.mark.parametrize("name", SAYS)
def test_what_people_say_reaches_the_ledger_or_is_refused(name: str) -> None:
    row = Life.objects.create(expires_at=timezone.now() + DAY)
    before = Event.objects.count(), list(PolicyState.objects.values_list("name", "state"))
    refused = False
    with everything_shadowed():
        try:
            SAYS[name](row)
        except LifecycleError as error:
            refused = "temporary" in str(error) or "search path" in str(error)
    after = Event.objects.count(), list(PolicyState.objects.values_list("name", "state"))
    assert (after == before) is refused
    if not refused and name.startswith("hold"):
        assert RowException.objects.filter(kind="hold").exists()


def test_what_was_said_is_taken_back_or_that_is_refused() -> None:
    row = Life.objects.create(expires_at=timezone.now() + DAY)
    hold(row)
    pause("tokens", actor="ann")
    for take_back in (lambda: release(row), lambda: resume("tokens", actor="ann")):
        before = Event.objects.count()
        refused = False
        with everything_shadowed():
            try:
                take_back()
            except LifecycleError:
                refused = True
        assert (Event.objects.count() == before) is refused


@pytest.mark.parametrize("path", ["public", 'public, "Odd ""one, \\"', "pg_temp, public", "''"])
def test_the_path_is_the_sessions_with_its_temporary_tables_last(path: str) -> None:
    run('CREATE SCHEMA IF NOT EXISTS "Odd ""one, \\"')
    with shadowed("zoo_token"):
        run(f"SET search_path = {path}")
        try:
            with own_transaction("default"), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_schemas(false)::text[], pg_my_temp_schema()::regnamespace::text"
                )
                found, temporary = cursor.fetchone()
        finally:
            run("RESET search_path")
    run('DROP SCHEMA "Odd ""one, \\"')
    named = [
        *(["public"] if "public" in path else []),
        *(['Odd "one, \\'] if "Odd" in path else []),
    ]
    assert found == [*named, temporary]
