"""Taking the package off a database whose site goes on: triggers, then functions, then, if wanted,
the ledger. Each step is done or not done; run again, it goes on with what is left.

Nothing may end any more while no trigger records it. So first of all every policy is `removed`,
under the lock that batches share, and the stamp of the functions changes: no worker acts, and no
`migrate` puts anything back.
"""

import os
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

from lifecycle.db.connection import Raw, fetch, scalar, statement
from lifecycle.db.table_lock import AGAINST_ALL, locked, qualified
from lifecycle.db.tables import tables_in
from lifecycle.exceptions import Busy, LifecycleError
from lifecycle.install.retired_policies import remove
from lifecycle.install.triggers import (
    Table,
    attached,
    capture_functions,
    dropping_function,
    dropping_trigger,
)
from lifecycle.ledger.context import context
from lifecycle.models import Event, PolicyState
from lifecycle.operations import RunFiles

PACKAGE = ("purge", "lifecycle")  # app labels; the first may not be installed
LEDGER = Event._meta.db_table
CHUNK = 2_000  # events read at a time for an export


@dataclass
class Installed:
    """What of the package is in a database."""

    triggers: dict[Table, list[str]]
    functions: list[str]
    tables: list[str]
    events: int


def installed(using: str) -> Installed:
    """Read the catalogue; changes nothing."""
    triggers: dict[Table, list[str]] = defaultdict(list)
    for each in attached(using):
        triggers[each.schema, each.table].append(each.trigger)
    functions = list(capture_functions(using))
    present = [app for app in PACKAGE if app in apps.app_configs]
    models = [model for app in present for model in apps.get_app_config(app).get_models()]
    tables = {model._meta.db_table for model in models} & tables_in(using)
    events = _events(using) if LEDGER in tables else 0
    return Installed(dict(triggers), functions, sorted(tables), events)


def silence(using: str, actor: str) -> None:
    """No policy ends anything from now on; waits for batches under way."""
    there = scalar(using, "SELECT to_regnamespace('lifecycle') IS NOT NULL")
    if not there or LEDGER not in tables_in(using):
        return
    with transaction.atomic(using=using), context(actor=actor, using=using):
        going = PolicyState.objects.using(using).exclude(state=PolicyState.State.REMOVED)
        for name in going.order_by("name").values_list("name", flat=True):
            remove(name, using)
        fetch(using, "COMMENT ON SCHEMA lifecycle IS 'uninstalling'")


def drop_triggers(using: str) -> dict[Table, str]:
    """Take every capture trigger off, a table a transaction; returns the busy tables, and why."""
    busy = {}
    for place, names in installed(using).triggers.items():
        table = qualified(*place)
        drop = [dropping_trigger(name, table) for name in names]
        try:
            locked(using, table, AGAINST_ALL, partial(_run, using, drop))
        except Busy as error:
            busy[place] = str(error)
    return busy


def export(using: str, path: Path) -> int:
    """Write the ledger to a new file, one event a line as JSON; returns how many.

    A file that is not complete has `.part` at the end of its name.
    """
    part = path.with_name(f"{path.name}.part")
    count = 0
    with transaction.atomic(using=using), part.open("w", encoding="utf-8") as file:
        with connections[using].chunked_cursor() as cursor:
            cursor.execute(statement(__file__, "export_ledger"))
            while events := cursor.fetchmany(CHUNK):
                file.writelines(f"{line}\n" for (line,) in events)
                count += len(events)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return count


def drop_rest(using: str, ledger: bool, exported: int | None = None) -> None:
    """Functions, and with `ledger` the tables, in one transaction.

    Kept, the ledger stays guarded, in the schema `lifecycle_kept` with its salt. Raises
    `LifecycleError` where it has got more events than were exported, and has then changed nothing.
    """
    there = installed(using)
    drop = [dropping_function(name) for name in there.functions]
    drop.append(statement(__file__, "drop_schema" if ledger else "keep_schema"))
    if ledger and there.tables:
        tables = Raw(", ".join(sql.Identifier(name).as_string() for name in there.tables))
        drop.append(statement(__file__, "drop_tables", tables=tables))

    def act() -> None:
        if exported not in (None, _events(using)):
            raise LifecycleError("Events came while the ledger was exported: run it again.")
        _run(using, drop)
        _forget_migrations(using, ledger)

    if LEDGER in there.tables:
        schema = scalar(using, "SELECT current_schema()")
        locked(using, qualified(schema, LEDGER), AGAINST_ALL, act)
    else:
        with transaction.atomic(using=using):
            act()


def _events(using: str) -> int:
    return int(scalar(using, statement(__file__, "count_rows", table=LEDGER)))


def _run(using: str, texts: list[str]) -> None:
    for text in texts:
        fetch(using, text)


def _forget_migrations(using: str, ledger: bool) -> None:
    """So that `migrate` would bring back what was dropped."""
    recorder = MigrationRecorder(connections[using])
    disk: Any = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    for (app, name), migration in disk.items():
        makes = any(isinstance(each, RunFiles) for each in migration.operations)
        if app in PACKAGE and (ledger or makes):
            recorder.record_unapplied(app, name)
