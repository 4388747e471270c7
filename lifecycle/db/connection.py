"""The one way this package talks to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError, connections, transaction
from psycopg import ClientCursor, sql

from lifecycle.db.sql import fixed, load


def fetch(
    using: str, statement: str, params: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; none for a statement that gives none."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def changed(using: str, statement: str, params: dict[str, Any] | None = None) -> int:
    """Run a statement and return how many rows it has changed or deleted."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)


class Query(NamedTuple):
    """A statement with its parameters."""

    text: str
    params: dict[str, Any] | None = None


class Answer(NamedTuple):
    """What a statement has given: its rows, and how many it has given or changed."""

    rows: list[tuple[Any, ...]]
    number: int


def fetch_each(using: str, *queries: Query) -> list[Answer]:
    """Run statements one after the other, sent together; an answer each.

    As if each had been sent by itself: it sees what was committed before it began, not before the
    first one did. After an error the others are not run.
    """
    with connections[using].cursor() as cursor:
        return answers_of(cursor, *queries)


def answers_of(cursor: Any, *queries: Query) -> list[Answer]:
    """The same by a cursor of any connection."""
    # A server takes parameters of one statement only: here they are written into the text.
    written = ClientCursor(cursor.connection)
    cursor.execute("\n;\n".join(written.mogrify(*query) for query in queries))
    answers = [_answer(cursor)]
    while cursor.nextset():
        answers.append(_answer(cursor))
    return answers


def _answer(cursor: Any) -> Answer:
    return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)


def scalar(using: str, statement: str, params: dict[str, Any] | None = None) -> Any:
    """The first column of the first row."""
    return fetch(using, statement, params)[0][0]


_rehearsed: ContextVar[frozenset[str]] = ContextVar("rehearsed", default=frozenset())

# SQLSTATE: a statement timeout, no lock in time, a deadlock
QUERY_CANCELED, LOCK_NOT_AVAILABLE, DEADLOCK = "57014", "55P03", "40P01"
# The session has ended, for its transaction was idle, or lasted, for too long; the latter of 17.
IDLE_TIMEOUT, TRANSACTION_TIMEOUT = "25P03", "25P04"
READ_ONLY = "25006"
NO_DATA_FOUND = "P0002"  # what a function of ours raises where something is gone
# The server is stopping or starting, has no connection left, or does not know who we are.
AWAY = ("08", "28", "3D", "53", "57P")
DENIED = "42501"  # no right to do so
CONTENDED = {LOCK_NOT_AVAILABLE, DEADLOCK}
REPEATABLE_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
NOT_COMPILED = "SET LOCAL jit = off"  # of short statements, which that makes a hundred times slower
#: A statement from which row level security would hide rows is an error (see `hides_rows`). And the
#: session's temporary tables are found last, where it has any: a name means what it means to all.
ALL_ROWS = """SET LOCAL row_security = off; SELECT set_config('search_path', '"' || replace(replace(
    array_to_string(array_append(array_remove(current_schemas(false),
            pg_my_temp_schema()::regnamespace::name), 'pg_temp'), chr(1)),
        '"', '""'), chr(1), '", "') || '"', true) WHERE pg_my_temp_schema() <> 0"""


@contextmanager
def own_transaction(using: str) -> Iterator[None]:
    """An outermost transaction of which each statement sees what others have committed by then.

    So that a look after a lock is later than the lock, whichever isolation the site has chosen. A
    row that is not seen is one that is not there: row level security that would hide one is an
    error, for a row that is hidden would be taken for gone, and its file for nobody's. Nor does a
    temporary table that the session was left with stand in for one of the site's.

    Within a `rehearsal` it is a savepoint of that.
    """
    if using in _rehearsed.get():
        with transaction.atomic(using=using):
            yield
        return
    with transaction.atomic(using=using, durable=True):
        fetch(using, f"{READ_COMMITTED}; {ALL_ROWS}; {NOT_COMPILED}")
        yield


@contextmanager
def rehearsal(using: str) -> Iterator[None]:
    """Takes back, at its end, all that was done inside: what would be transactions of their own are
    parts of one, which no other session sees. Locks are held until then.
    """
    with own_transaction(using):
        before = _rehearsed.set(_rehearsed.get() | {using})
        try:
            yield
        finally:
            _rehearsed.reset(before)
        transaction.set_rollback(True, using=using)


def statement(module: str, name: str, **parts: Any) -> str:
    """A module's statement with its `{names}` filled: identifiers quoted, `Raw` as it is.

    `Raw` text was compiled by the ORM and holds no placeholders of its own, so its `%` is doubled.
    """
    if not parts:
        return fixed(module, name)
    return _filled(module, name, tuple((each, type(part), part) for each, part in parts.items()))


@lru_cache(maxsize=1000)
def _filled(module: str, name: str, parts: tuple[tuple[str, type, Any], ...]) -> str:
    """Made once; the types are a part of the key, for `Raw` is equal to what is only a name."""
    ready = {each: part(value) for each, _, value in parts}
    return sql.SQL(load(module, name)).format(**ready).as_string()


@contextmanager
def limited(using: str, seconds: float) -> Iterator[None]:
    """Statements inside are stopped after so long: an `OperationalError` that `was_stopped`."""
    limit = f"{int(seconds * 1000)}ms"
    with transaction.atomic(using=using), local_settings(using, statement_timeout=limit):
        yield


def was_stopped(error: BaseException) -> bool:
    """Whether an error is that a statement came to its timeout."""
    return sqlstate(error) == QUERY_CANCELED


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error that Django has wrapped; None where it has none."""
    return getattr(error.__cause__, "sqlstate", None)


def is_away(error: BaseException) -> bool:
    """Whether an error is of the connection, not of a statement, nor of the code that made it."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = sqlstate(error)
    return code is None or code.startswith(AWAY)


def hides_rows(error: BaseException) -> bool:
    """Whether an error is that row level security would have hidden rows from this role."""
    found = getattr(error.__cause__, "diag", None)
    return bool(found and found.source_function == "check_enable_rls")


def set_local(using: str, **values: str | None) -> dict[str, str]:
    """Set settings until the transaction ends, None: leave as it is. Returns what they were."""
    params = {"names": list(values), "values": list(values.values())}
    rows = fetch(using, statement(__file__, "set_local"), params)
    return {name: before for name, before, _ in rows}


@contextmanager
def local_settings(using: str, **values: str | None) -> Iterator[None]:
    """Settings of the transaction under way that are put back at the end of the block.

    None: as it is, for a block that changes it.
    """
    before = set_local(using, **values)
    yield
    # Not in a finally: after an error the rollback puts the values back.
    set_local(using, **before)


class Raw(str):
    """SQL that was compiled and quoted before, without placeholders."""

    __slots__ = ()


class Placed(Raw):
    """SQL of our own that holds placeholders, which stay as they are."""

    __slots__ = ()


def part(value: Any) -> sql.Composable:
    """What fills one `{name}` of a statement."""
    if isinstance(value, Placed):
        return sql.SQL(value)
    if isinstance(value, Raw):
        return sql.SQL(value.replace("%", "%%"))
    return sql.Identifier(value)
