"""Checks of what is installed in the database; only with `manage.py check --database <alias>`.

All but the server's version are warnings: `migrate`, which mends most of them, would refuse to run
on an error.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, OperationalError, connections, router, transaction

from lifecycle.capture.triggers import registered
from lifecycle.checks import policy_query
from lifecycle.checks.heirs import heirs
from lifecycle.checks.holds import holds_that_the_site_passes
from lifecycle.checks.messages import error, warning
from lifecycle.checks.partitions import partitions
from lifecycle.checks.reach import out_of_reach
from lifecycle.checks.roles import roles
from lifecycle.checks.session import limits, session
from lifecycle.checks.ties import tied
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.partitions import go_whole
from lifecycle.compiler.shared_keys import with_shared_keys
from lifecycle.db.connection import fetch, is_away, scalar, statement
from lifecycle.db.tables import PENDING, table_of
from lifecycle.db.test_databases import is_test_database
from lifecycle.db.version import mismatch
from lifecycle.hints import database_option
from lifecycle.install.functions import other_functions
from lifecycle.install.guards import GUARDS, TRUNCATE
from lifecycle.install.pending import pending_marks
from lifecycle.install.retired_policies import is_model
from lifecycle.install.triggers import (
    FIRES,
    Place,
    TriggerRow,
    capture_functions,
    places,
    triggers_of,
)
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from lifecycle.operations import REMOVED, CaptureSql
from lifecycle.policy.databases import is_at, served
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

OLDEST = 15
CALL = re.compile(r"\b([a-z_]\w*)\s*\(", re.IGNORECASE)  # in SQL
INSTALL = "Run `manage.py lifecycle install`."


def check_database(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Everything that the code declares against what the named databases have."""
    return [message for alias in databases or () for message in _reached(alias)]


def _reached(using: str) -> list[CheckMessage]:
    """What is found; E116 where nothing can be asked."""
    try:
        return list(_check(using))
    except OperationalError as refused:
        if not is_away(refused):
            raise
        why = next(iter(str(refused).strip().splitlines()), type(refused).__name__)
        hint = "Start it, or correct DATABASES; nothing of this database was checked."
        return [error(116, f"The database {using!r} does not answer: {why}", hint)]


def _check(using: str) -> Iterator[CheckMessage]:
    connection = connections[using]
    if connection.vendor != "postgresql" or not router.allow_migrate_model(using, Event):
        return
    yield from server_version(connection)
    yield from session(using)
    yield from limits(using)
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    if PolicyState._meta.db_table not in tables:
        return  # before the first migrate
    if why := mismatch(using):
        hint = "Until then nothing ends; see what it says of the database at hand."
        yield warning(111, f"{why[0].upper()}{why[1:]}.", hint)
        return
    yield from functions(using)
    yield from looked_after(using)
    yield from ledger_guard(using)
    yield from roles(using)
    yield from held_models(using)
    yield from holds_that_the_site_passes(using)
    yield from stored_policies(using, tables)
    yield from capture_triggers(using, tables)
    yield from tied(using)
    yield from shared_keys(using)
    yield from partitions(using)
    yield from out_of_reach(using)
    yield from heirs(using)
    for policy in all_policies():
        if table_of(policy.model) in tables and is_at(policy.model, using):
            yield from is_accepted(policy, using)
            yield from calls_nothing_volatile(policy, using)


def server_version(connection: Any) -> Iterator[CheckMessage]:
    """E101: the server is too old."""
    major = connection.pg_version // 10_000
    if major < OLDEST:
        yield error(101, f"PostgreSQL {major} is too old.", f"Use {OLDEST} or newer.")


def looked_after(using: str) -> Iterator[CheckMessage]:
    """W110: a ledger with an agenda, in a database that no worker looks after."""
    if using in served() or scalar(using, "SELECT pg_is_in_recovery()"):
        return
    if AgendaEntry.objects.using(using).exists():
        text = f"No worker looks after the ledger in {using!r}."
        yield warning(110, text, "Name the database in LIFECYCLE_DATABASES.")


def ledger_guard(using: str) -> Iterator[CheckMessage]:
    """W102: the ledger can be changed, because its guard is gone or switched off."""
    guards = triggers_of(using, Event._meta.db_table, PENDING)
    fires = {guard.trigger for guard in guards if guard.when in FIRES}
    spared = TRUNCATE if is_test_database(connections[using]) else set[str]()
    for guard in GUARDS:
        if guard not in fires | spared:
            text = f"The guard {guard} of the ledger is missing or disabled."
            hint = f"{INSTALL} And find out who has done it."
            yield warning(102, text, hint)


def functions(using: str) -> Iterator[CheckMessage]:
    """W130: functions of the package are missing, or are not as this code makes them."""
    if names := other_functions(using):
        text = f"Functions of the schema lifecycle are missing or changed: {', '.join(names)}."
        yield warning(130, text, INSTALL)


def held_models(using: str) -> Iterator[CheckMessage]:
    """W112: rows are held under a name that no model has any more."""
    holds = RowException.objects.using(using).filter(kind="hold").exclude(model="")
    for label in holds.order_by("model").values_list("model", flat=True).distinct():
        if not is_model(label):
            text = f"Rows of {label} are held, but there is no such model: nothing protects them."
            yield warning(112, text, "Hold them under the model's new name, release the old holds.")


def stored_policies(using: str, tables: set[str]) -> Iterator[CheckMessage]:
    """W103, W104: a policy is not in the database, or is declared differently there."""
    stored = dict(PolicyState.objects.using(using).values_list("name", "fingerprint"))
    for policy in all_policies():
        if table_of(policy.model) not in tables or not is_at(policy.model, using):
            continue
        if policy.name not in stored:
            yield warning(103, "The policy is not in the database yet.", _making(using), policy)
        elif stored[policy.name] != fingerprint(policy):
            text = "The database has another declaration: workers with this code do nothing for it."
            yield warning(104, text, _making(using), policy)


def capture_triggers(using: str, tables: set[str]) -> Iterator[CheckMessage]:
    """W105, W106, W107: a trigger is missing, outdated or disabled, on a table or a partition.

    Not where a migration that has not run yet makes it as the code declares it: `migrate` asks
    before it runs.
    """
    made = capture_functions(using)
    found = list(_capture_triggers(using, tables, made))
    to_come = pending_marks(using) if found else {}
    yield from (message for code, message in found if to_come.get(code.pgid) != code.mark)


def _capture_triggers(
    using: str, tables: set[str], made: dict[str, str]
) -> Iterator[tuple[Any, CheckMessage]]:
    here = [(m, t) for m, t in registered() if table_of(m) in tables and is_at(m, using)]
    codes = [cast(CaptureSql, trigger.compile(model).sql) for model, trigger in here]
    roots = sorted({code.table for code in codes})
    there = {(each.table, each.trigger): each for each in triggers_of(using, *roots)}
    spread = defaultdict(list)
    for place in places(using, roots):
        spread[place.root].append(place)
    for code in codes:
        hint = INSTALL if made.get(code.pgid) in (code.mark, REMOVED) else _making(using)
        for place in spread[code.table]:
            for message in _one_trigger(there.get((place.table, code.pgid)), place, code, hint):
                yield code, message


def _making(using: str) -> str:
    """How what no migration has made yet is made."""
    after = f"`manage.py migrate{database_option(using)}`, then `manage.py lifecycle install`."
    writes = getattr(settings, "PGTRIGGER_MIGRATIONS", True)
    return f"Run `manage.py makemigrations`, {after}" if writes else f"Run {after}"


def _one_trigger(
    trigger: TriggerRow | None, place: Place, code: Any, hint: str
) -> Iterator[CheckMessage]:
    table = place.table
    if trigger is None:
        text = f"{table} has no trigger {code.pgid}: writes to it are not recorded."
        yield warning(105, text, hint)
    elif table == place.root and trigger.mark != code.mark:
        yield warning(106, f"The trigger {code.pgid} on {table} is outdated.", hint)
    elif trigger.when not in FIRES:
        yield warning(107, f"The trigger {code.pgid} on {table} is disabled.", INSTALL)


def shared_keys(using: str) -> Iterator[CheckMessage]:
    """W114: the key of a table under a policy is not unique in the database."""
    own: Any = [policy.model._meta.concrete_model for policy in all_policies()]
    here = {model for model in own if is_at(model, using) and not go_whole(model)}
    for table in sorted(with_shared_keys(using, here)):
        text = f"Several rows of {table} may have the same key: no policy can end any of them."
        hint = "Make the key alone unique, in a known collation; by time: capture=Partitions()."
        yield warning(114, text, hint)


def is_accepted(policy: Policy, using: str) -> Iterator[CheckMessage]:
    """W108: PostgreSQL refuses the policy's SQL, so every write would be `capture_failed`."""
    text = policy_query.state_sql(policy)
    if not text:
        return
    try:
        with transaction.atomic(using=using):
            fetch(using, f"EXPLAIN {text}")
    except DatabaseError as refused:
        reason = str(refused).splitlines()[0]
        hint = "Run it by hand: RawSQL and casts are not seen by the ORM. After a change, migrate."
        yield warning(108, f"PostgreSQL refuses the policy's SQL: {reason}", hint, policy)


def calls_nothing_volatile(policy: Policy, using: str) -> Iterator[CheckMessage]:
    """W109: `when` or `expires` call a function that PostgreSQL calls volatile."""
    names = sorted({name.lower() for name in CALL.findall(policy_query.due_sql(policy))})
    for (name,) in fetch(using, statement(__file__, "volatile"), {"names": names}):
        text = f"`when` and `expires` call {name}(), which is volatile."
        hint = "If it is not, declare it IMMUTABLE or STABLE; else compute a column from it."
        yield warning(109, text, hint, policy)
