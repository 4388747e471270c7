"""Ties: foreign keys by which PostgreSQL itself deletes or changes the rows that refer to others.

`ON DELETE CASCADE`, `SET NULL` and `SET DEFAULT`, whether a model declares them (DB_CASCADE and the
like, of Django 6.1) or a migration's SQL has made them. Django's collector leaves such rows to the
database. The catalogue is what counts, so it is asked anew each time: a migration may have changed
it since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models

from lifecycle.db.connection import Query, fetch, scalar, statement
from lifecycle.db.tables import catalogue_name

CASCADE, SET_NULL, SET_DEFAULT = "c", "n", "d"  # pg_constraint.confdeltype
#: the `on_delete` of Django 6.1 that the database carries out
IN_DATABASE: dict[Any, str] = {
    getattr(models, name): action
    for name, action in (
        ("DB_CASCADE", CASCADE),
        ("DB_SET_NULL", SET_NULL),
        ("DB_SET_DEFAULT", SET_DEFAULT),
    )
    if hasattr(models, name)
}
#: every `on_delete` of which Django's collector takes no notice
SKIPPED = (models.DO_NOTHING, *IN_DATABASE)


@dataclass(frozen=True)
class Tie:
    """A foreign key with an action of the database.

    name       of the constraint
    table      of the rows that refer, as a model's `db_table`
    columns    by which they refer
    upper      the table that they refer to
    keys       its columns
    action     what becomes of those rows
    is_open    whether this role may read and lock them
    """

    name: str
    table: str
    columns: tuple[str, ...]
    upper: str
    keys: tuple[str, ...]
    action: str
    is_open: bool

    @property
    def deletes(self) -> bool:
        """Whether the rows go along."""
        return self.action == CASCADE

    @property
    def model(self) -> Any:
        """The model of the rows that refer; None where there is none."""
        return models_by_table().get(self.table)

    @property
    def on_delete(self) -> Any:
        """What the model says of the same relation; None where it says nothing."""
        model = self.model
        for field in model._meta.local_concrete_fields if model else ():
            if (str(field.column),) == self.columns and field.remote_field:
                upper = field.remote_field.model._meta.concrete_model
                return field.remote_field.on_delete if table_of(upper) == self.upper else None
        return None


def ties(using: str, tables: Iterable[str]) -> list[Tie]:
    """Those to the tables of models, and to the tables of rows that go along by one of them."""
    question = any_tie(using, tables)
    if not scalar(using, *question):
        return []
    found = fetch(using, statement(__file__, "ties"), question.params)
    return [
        Tie(name, table, tuple(columns), upper, tuple(keys), action, is_open)
        for name, table, columns, upper, keys, action, is_open in found
    ]


def any_tie(using: str, tables: Iterable[str]) -> Query:
    """Whether there is any tie to the tables of models: one row of one truth value."""
    quote = connections[using].ops.quote_name
    return Query(statement(__file__, "any_tie"), {"tables": [quote(table) for table in tables]})


def table_of(model: Any) -> str:
    """A model's table as ties name it."""
    return catalogue_name(str(model._meta.db_table).strip('"'))


def models_by_table() -> dict[str, Any]:
    """The models of the site by their tables; of two models of one table, that which is managed."""
    found = [m for m in apps.get_models(include_auto_created=True) if not m._meta.proxy]
    return {table_of(m): m for m in sorted(found, key=lambda m: bool(m._meta.managed))}
