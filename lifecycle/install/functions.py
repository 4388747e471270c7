"""The package's own part of a database, the schema `lifecycle`: what is missing, and making it.

Migrations make it once. A dump of one schema, a function that somebody has dropped or replaced, a
table that came without its rows: no migration runs again for these.
"""

import re

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, transaction
from django.db.migrations.state import ProjectState

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.sql import function_file
from lifecycle.db.tables import PACKAGE, tables_in
from lifecycle.db.test_databases import clock_is_set
from lifecycle.operations import FUNCTIONS, RunFiles

FUNCTION = re.compile(r"_v\d+$")
COMMENT = re.compile(r"--.*")
# What stands beside the functions, and may be run again where it is there already.
BESIDE = ("salt", "grants", "version_stamp")


def all_functions(using: str) -> None:
    """Everything that the migrations run, into a database that has nothing of it."""
    now = ProjectState.from_apps(apps)
    with connections[using].schema_editor() as editor:
        RunFiles(FUNCTIONS).database_forwards("lifecycle", editor, now, now)


def begin_use(using: str) -> None:
    """Record from now on what is written: all data is there that a dump had.

    Numbers go on behind those of rows that were loaded without their sequences.
    """
    fetch(using, function_file("salt"))
    configs = [apps.get_app_config(label) for label in PACKAGE if apps.is_installed(label)]
    models = [model for config in configs for model in config.get_models()]
    there = tables_in(using)
    ours = [model for model in models if model._meta.db_table in there]
    for text in connections[using].ops.sequence_reset_sql(no_style(), ours):
        fetch(using, text)


def make_pending(using: str) -> None:
    """The pending list, a part of two tables, where it is not there."""
    with transaction.atomic(using=using):
        for name in ("pending_storage", "written_singly"):
            fetch(using, _text(name, _schema(using)))


def has_schema(using: str) -> bool:
    """Whether the schema of the functions is there."""
    return bool(scalar(using, "SELECT to_regnamespace('lifecycle') IS NOT NULL"))


def other_functions(using: str) -> list[str]:
    """The functions that are missing, or are not as this code makes them."""
    if not has_schema(using):
        return [name for name in FUNCTIONS if FUNCTION.search(name)]
    there = {name: tuple(form) for name, *form in fetch(using, statement(__file__, "bodies"))}
    schema = _schema(using)
    spared = {"now_v1"} if clock_is_set(using) else set[str]()
    wanted = {name: _form(name, schema) for name in FUNCTIONS if FUNCTION.search(name)}
    return [name for name, form in wanted.items() if there.get(name) != form and name not in spared]


def make_functions(using: str) -> list[str]:
    """Make those, and what stands beside them, in one transaction; returns their names.

    Rights that roles had on a function that was gone are gone with it: see `granted`.
    """
    names = other_functions(using)
    with transaction.atomic(using=using):
        if not has_schema(using):
            all_functions(using)
            return names
        if not scalar(using, "SELECT to_regtype('lifecycle.subjects') IS NOT NULL"):
            names.insert(0, "subjects")
        for name in (*names, *BESIDE):
            fetch(using, _again(name, _schema(using)))
    return names


def _form(name: str, schema: str) -> tuple[str, bool, bool]:
    """A function as the catalogue has it: its body, SECURITY DEFINER, a search path of its own."""
    declared, _, rest = _text(name, schema).partition("AS $$")
    body, declared = rest.rpartition("$$")[0], COMMENT.sub("", declared)
    return body, "SECURITY DEFINER" in declared, "search_path" in declared


def _again(name: str, schema: str) -> str:
    return _text(name, schema).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def _text(name: str, schema: str) -> str:
    return function_file(name).replace("@tables@", schema)


def _schema(using: str) -> str:
    """Where the ledger is; a tenant's session may make tables elsewhere."""
    return str(scalar(using, statement(__file__, "schema_of_tables")))
