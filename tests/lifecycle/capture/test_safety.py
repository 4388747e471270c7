"""What a session may try, or may not be allowed, does not keep a write from the ledger."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from lifecycle import hold, release, restore
from lifecycle.models import AgendaEntry, Event, RowException
from tests.support import kinds, run_until_idle, session
from tests.zoo.factories import ExpiredTokenFactory, LiveTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = "INSERT INTO public.zoo_token (label, active, expires_at) VALUES ('', true, '2100-01-01')"


def execute(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


@pytest.fixture
def clerk() -> Iterator[str]:
    """A role with rights on one table of the host and on nothing of this package."""
    execute("CREATE ROLE zoo_clerk")
    execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON zoo_token TO zoo_clerk")
    execute("GRANT USAGE ON SEQUENCE zoo_token_id_seq TO zoo_clerk")
    yield "zoo_clerk"
    execute("DROP OWNED BY zoo_clerk")
    execute("DROP ROLE zoo_clerk")


def test_a_role_with_rights_on_its_own_table_is_enough(clerk: str) -> None:
    with session() as other:
        other.execute(f"SET ROLE {clerk}")
        other.execute(INSERT)
        other.execute("UPDATE zoo_token SET expires_at = '2101-01-01'")
        other.execute("DELETE FROM zoo_token")
        other.execute("TRUNCATE zoo_token")
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "deleted"]
    assert Event.objects.filter(kind="truncated", model="zoo.token").exists()


@pytest.mark.parametrize("table", ["lifecycle_event", "lifecycle_agenda", "lifecycle_exception"])
def test_such_a_role_cannot_write_into_the_ledger(clerk: str, table: str) -> None:
    with session() as other:
        other.execute(f"SET ROLE {clerk}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute(f"INSERT INTO {table} DEFAULT VALUES")


def test_temporary_tables_swallow_no_events() -> None:
    with session() as other:
        for table in ("lifecycle_event", "lifecycle_agenda", "lifecycle_exception"):
            other.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table})")
        other.execute("CREATE TEMP TABLE lifecycle_policy (name text)")
        other.execute(INSERT)
    assert kinds() == ["expiry_scheduled"]
    assert AgendaEntry.objects.count() == 1


def test_temporary_tables_named_like_those_of_the_trigger_change_nothing() -> None:
    with session() as other:
        for table in ("new_rows", "old_rows", "zoo_token"):
            other.execute(f"CREATE TEMP TABLE {table} (LIKE public.zoo_token)")
        other.execute(INSERT)
        other.execute("UPDATE public.zoo_token SET expires_at = '2101-01-01'")
        other.execute("DELETE FROM public.zoo_token")
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "deleted"]


PATHS = ["", "pg_catalog", "elsewhere", "elsewhere, pg_catalog", "pg_temp, elsewhere"]


@pytest.mark.parametrize("path", PATHS)
def test_search_paths_change_nothing(path: str) -> None:
    with session() as other:
        other.execute("CREATE SCHEMA elsewhere")
        other.execute(
            "CREATE FUNCTION elsewhere.clock_timestamp() RETURNS timestamptz"
            " LANGUAGE sql AS $$ SELECT timestamptz '1999-01-01' $$"
        )
        other.execute("CREATE TABLE elsewhere.lifecycle_event (LIKE public.lifecycle_event)")
        other.execute("SELECT set_config('search_path', %s, true)", [path])
        other.execute(INSERT)
        other.execute("UPDATE public.zoo_token SET expires_at = '2101-01-01'")
        other.execute("DELETE FROM public.zoo_token")
        other.execute("DROP SCHEMA elsewhere CASCADE")
    assert kinds() == ["expiry_scheduled", "expiry_scheduled", "deleted"]


def test_no_setting_of_a_session_silences_the_triggers() -> None:
    with session() as other:
        other.execute("SET pgtrigger.ignore = '{pgtrigger_lc_tokens_i,zoo_token:lc_tokens_i}'")
        other.execute("SET lifecycle.ending = ''")
        other.execute("SET enable_hashjoin = off")
        other.execute(INSERT)
    assert kinds() == ["expiry_scheduled"]


def test_a_delete_that_says_it_is_the_engines_is_recorded_all_the_same() -> None:
    LiveTokenFactory()
    with transaction.atomic():
        execute("SET LOCAL lifecycle.ending = 'nonsense'")
        Token.objects.all().delete()
    assert kinds() == ["expiry_scheduled", "deleted"]
    assert Event.objects.get(kind="deleted").detail == {"unproven": True}


GUARDED = [
    "UPDATE lifecycle_event SET kind = 'x'",
    "UPDATE lifecycle_event SET count = 2 WHERE id = (SELECT min(id) FROM lifecycle_event)",
    "DELETE FROM lifecycle_event",
]


@pytest.mark.parametrize("statement", GUARDED)
def test_the_ledger_refuses_to_change(statement: str) -> None:
    LiveTokenFactory()
    with pytest.raises((IntegrityError, InternalError), match="append-only"):
        execute(statement)


def test_the_ledger_refuses_truncate_outside_of_tests() -> None:
    LiveTokenFactory()
    with transaction.atomic():
        execute("ALTER TABLE lifecycle_event ENABLE TRIGGER lifecycle_event_guard_truncate")
        refused = pytest.raises((IntegrityError, InternalError), match="append-only")
        with refused, transaction.atomic():
            execute("TRUNCATE lifecycle_event")
        transaction.set_rollback(True)
    assert kinds() == ["expiry_scheduled"]


def test_a_statement_that_touches_nothing_passes_the_guard() -> None:
    execute("UPDATE lifecycle_event SET kind = 'x' WHERE id < 0")


def test_truncate_is_refused_while_a_row_is_held() -> None:
    token = LiveTokenFactory()
    hold(token)
    with pytest.raises((IntegrityError, InternalError), match="held"):
        execute("TRUNCATE zoo_token")
    assert Token.objects.exists()
    release(token)
    execute("TRUNCATE zoo_token")
    assert not Token.objects.exists()


def test_truncate_is_refused_while_a_policy_is_held() -> None:
    LiveTokenFactory()
    hold("tokens")
    with pytest.raises((IntegrityError, InternalError), match="held"):
        execute("TRUNCATE zoo_token")
    release("tokens")
    execute("TRUNCATE zoo_token")


def test_truncate_ends_the_exceptions_of_its_rows() -> None:
    token = ExpiredTokenFactory()
    restore(token)
    execute("TRUNCATE zoo_token")
    assert not RowException.objects.exists()
    again = ExpiredTokenFactory(id=token.pk)
    run_until_idle()
    assert not Token.objects.filter(pk=again.pk).exists()
