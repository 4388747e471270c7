"""Capture triggers onto tables and off them, one table a transaction, beside all that is written.

Migrations make the functions, which needs no lock, and mark those of removed triggers. After each
`migrate`, and by `manage.py lifecycle install`, this puts on what is missing and takes off what is
marked, both in one transaction: at each moment a table has the old triggers or the new ones.
Killed or refused at any moment, the next call does what is left.

What a function *says* is the code's, not the migration's: one that was made by an older release, or
with other rights than it should have, is made again here, which needs neither a migration of the
host nor a lock.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

from django.db import router, transaction

from lifecycle.capture.triggers import registered
from lifecycle.db.connection import Raw, fetch, statement
from lifecycle.db.table_lock import AGAINST_ALL, AGAINST_WRITERS, locked, qualified
from lifecycle.db.tables import table_of
from lifecycle.exceptions import Busy
from lifecycle.logs import Log
from lifecycle.operations import REMOVED, CaptureSql

log = Log("lifecycle")

Table = tuple[str, str]  # schema, name


class Place(NamedTuple):
    """A table or partition: of which table, in which schema, its name."""

    root: str
    schema: str
    table: str


FIRES = ("O", "A")  # pg_trigger.tgenabled: in normal sessions, always


class Attached(NamedTuple):
    """A capture trigger in the database; `mark` is the comment of its function, `when` as
    pg_trigger.tgenabled has it."""

    schema: str
    table: str
    trigger: str
    mark: str
    when: str


class TriggerRow(NamedTuple):
    """A trigger on a table or partition; `when` as pg_trigger.tgenabled has it."""

    table: str
    trigger: str
    when: str
    mark: str | None


@dataclass
class Todo:
    """What is left to do on one table."""

    root: str = ""  # where the table is a partition: of which
    add: list[CaptureSql] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)


def install(using: str) -> dict[str, str]:
    """Make the tables' triggers those of the migrations; returns the tables left out, and why.

    (Of a partition, the table that it is one of.)

    A trigger whose migration is missing or has not run is none of its business, nor is one that
    somebody has disabled: checks tell.
    """
    left = {}
    renew_functions(using)
    for (schema, table), todo in sorted(missing(using).items()):
        name = qualified(schema, table)
        mode = AGAINST_ALL if todo.drop else AGAINST_WRITERS
        try:
            locked(using, name, mode, partial(_apply, using, name, todo))
        except Busy as error:
            left[todo.root or table] = str(error)
            log("not_installed", str(error), database=using, table=table)
    _drop_functions(using)
    return left


def renew_functions(using: str) -> None:
    """Make those functions again that are of this declaration, but not as this code makes them."""
    for code in outdated_functions(using):
        with transaction.atomic(using=using):
            fetch(using, str(code))


def outdated_functions(using: str) -> list[CaptureSql]:
    """The functions that have another body or search path than this code's, or other rights."""
    marks, made = capture_functions(using), dict(fetch(using, statement(__file__, "as_made")))
    known = (each for each in declared(using) if marks.get(each.pgid) == each.mark)
    return [each for each in known if made.get(each.pgid) != each.source]


def missing(using: str) -> dict[Table, Todo]:
    """The tables whose triggers are not those of the migrations that have run."""
    functions = capture_functions(using)
    there = attached(using)
    have = {(each.schema, each.table, each.trigger) for each in there}
    todo: dict[Table, Todo] = defaultdict(Todo)
    current = {}
    for schema, table, code in _wanted(using):
        if functions.get(code.pgid, REMOVED) == REMOVED:
            continue
        current[schema, table, _purpose(code.pgid)] = code.pgid
        if (schema, table, code.pgid) not in have:
            todo[schema, table].root = code.table
            todo[schema, table].add.append(code)
    for schema, table, trigger, mark, _ in there:
        successor = current.get((schema, table, _purpose(trigger)), trigger)
        if mark == REMOVED or trigger != successor:
            todo[schema, table].drop.append(trigger)
    return dict(todo)


def unrecorded(using: str) -> set[str]:
    """The tables on which a trigger is missing or off, or on a partition of which, whatever the
    reason. Asked for pages: no trigger is compiled for it."""
    fires = {(e.schema, e.table, e.trigger) for e in attached(using) if e.when in FIRES}
    names = defaultdict(list)
    for model, trigger in registered():
        if _is_here(model, using):
            names[table_of(model)].append(trigger.name_on(model))
    return {
        place.root for place in places(using, sorted(names)) for name in names[place.root]
        if (place.schema, place.table, name) not in fires
    }  # fmt: skip


def switched_off(using: str) -> list[Attached]:
    """The triggers of this code that are on their tables and do not fire."""
    names = {code.pgid for code in declared(using)}
    return [e for e in attached(using) if e.trigger in names and e.when not in FIRES]


def _purpose(pgid: str) -> str:
    """A trigger's name without the hash of its model, which may have moved to another app."""
    return pgid.rpartition("_")[0]


def _wanted(using: str) -> list[tuple[str, str, CaptureSql]]:
    """Every trigger of the code on every table and partition that is there."""
    code = declared(using)
    tables = sorted({each.table for each in code})
    found: dict[str, list[Table]] = defaultdict(list)
    for place in places(using, tables):
        found[place.root].append((place.schema, place.table))
    return [(*place, each) for each in code for place in found[each.table]]


def declared(using: str) -> list[CaptureSql]:
    """Every trigger of the code whose model belongs into this database."""
    here = ((model, trigger) for model, trigger in registered() if _is_here(model, using))
    return [cast(CaptureSql, trigger.compile(model).sql) for model, trigger in here]


def _apply(using: str, table: Raw, todo: Todo) -> None:
    for code in todo.add:
        parts = {"trigger": code.pgid, "table": table}
        parts |= {"moment": Raw(code.moment), "operation": Raw(code.operation)}
        parts |= {"referencing": Raw(code.referencing)}
        fetch(using, statement(__file__, "attach_trigger", **parts))
    for name in todo.drop:
        fetch(using, dropping_trigger(name, table))
        if name in capture_functions(using):
            fetch(using, statement(__file__, "mark_removed", function=name))


def _drop_functions(using: str) -> None:
    """Those of removed triggers, once no table has them any more."""
    used = {each.trigger for each in attached(using)}
    for name, mark in capture_functions(using).items():
        if mark == REMOVED and name not in used:
            fetch(using, dropping_function(name))


def attached(using: str) -> list[Attached]:
    """Every capture trigger there is."""
    return [Attached(*row) for row in fetch(using, statement(__file__, "attached"))]


def capture_functions(using: str) -> dict[str, str]:
    """Every function of a capture trigger, with its mark."""
    found: Any = fetch(using, statement(__file__, "capture_functions"))
    return dict(found)


def places(using: str, tables: list[str]) -> list[Place]:
    """The tables and their partitions that are there."""
    found = fetch(using, statement(__file__, "places"), {"tables": tables})
    return [Place(*row) for row in found]


def triggers_of(using: str, *tables: str) -> list[TriggerRow]:
    """The triggers on tables and their partitions."""
    found = fetch(using, statement(__file__, "triggers_on"), {"tables": list(tables)})
    return [TriggerRow(*row) for row in found]


def dropping_trigger(trigger: str, table: Raw) -> str:
    """The statement that takes a trigger off a table."""
    return statement(__file__, "drop_trigger", trigger=trigger, table=table)


def dropping_function(name: str) -> str:
    """The statement that drops a trigger's function."""
    return statement(__file__, "drop_function", function=name)


def _is_here(model: Any, using: str) -> bool:
    return bool(router.allow_migrate_model(using, model))
