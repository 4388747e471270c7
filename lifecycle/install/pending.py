"""Triggers that a migration makes which is on disk and has not run in a database yet."""

from django.db import connections
from django.db.migrations.exceptions import (
    BadMigrationError,
    CircularDependencyError,
    NodeNotFoundError,
)
from django.db.migrations.executor import MigrationExecutor
from pgtrigger.migrations import AddTrigger, RemoveTrigger

from lifecycle.operations import CaptureSql

BROKEN = (BadMigrationError, CircularDependencyError, NodeNotFoundError)


def pending_marks(using: str) -> dict[str, str]:
    """By the name of its trigger in the database: the mark of each that `migrate` will make.

    Reads every migration of the site. Where those cannot be put into an order nothing is pending:
    `migrate` itself says so.
    """
    try:
        executor = MigrationExecutor(connections[using])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except BROKEN:
        return {}
    made: dict[tuple[str, str, str], CaptureSql] = {}
    for migration, _ in plan:
        for operation in migration.operations:
            about = migration.app_label, getattr(operation, "model_name", "").lower()
            if isinstance(operation, AddTrigger):
                trigger = operation.trigger
                if isinstance(sql := getattr(trigger, "sql", None), CaptureSql):
                    made[*about, str(trigger.name)] = sql
            elif isinstance(operation, RemoveTrigger):
                made.pop((*about, operation.name), None)
    return {sql.pgid: sql.mark for sql in made.values()}
