"""Which names live rows hold: of all models of the site, in all of its databases."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connections, router
from django.db.models import FileField, Model, QuerySet

from lifecycle.db.connection import fetch
from lifecycle.db.introspection import tables_in
from purge.media.stores.base import Store
from purge.media.stores.choose import store_of


def held(store: Store, names: Iterable[str]) -> set[str]:
    """The names whose objects some live row shows, under whatever name it knows them.

    One statement for each file field whose storage may have these objects. What transactions have
    written that are still open is not seen.
    """
    paths = {store.path(name): name for name in names}
    found: set[str] = set()
    for using in connections:
        fields = fields_at(store, using)
        tables = _there(using, {field.model._meta.db_table for field, _ in fields})
        for field, other in fields:
            if field.model._meta.db_table in tables:
                own = {said: name for path, name in paths.items() for said in other.names_of(path)}
                shown = _shown(field, own, using)
                found |= {own[said] for said in shown if said in own}  # citext finds others too
    return found


def fields_at(store: Store, using: str) -> list[tuple[FileField, Store]]:
    """The file fields that may hold objects of a store, of models that may be in a database."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not _may_be_in(model, using):
            continue
        for field in model._meta.local_concrete_fields:
            if isinstance(field, FileField):
                other = store_of(field.storage)
                if other.root == store.root:
                    found.append((field, other))
    return found


def _may_be_in(model: type[Model], using: str) -> bool:
    """Also where this site reads or writes a table that it never migrates."""
    reads = using in (router.db_for_read(model), router.db_for_write(model))
    return reads or router.allow_migrate_model(using, model)


def _there(using: str, tables: set[str]) -> set[str]:
    """Those of the tables that are there, however they are written: `db_table` may have a schema
    in it, or more letters than PostgreSQL takes."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return tables & tables_in(using) if tables else set()
    said = {connection.ops.quote_name(table): table for table in tables}
    text = "SELECT name FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
    return {said[name] for (name,) in fetch(using, text, {"names": list(said)})} if said else set()


def _shown(field: FileField, names: Iterable[Any], using: str) -> list[str]:
    model: type[Model] = field.model
    # Not the model's own managers, which may hide rows.
    rows: QuerySet[Any] = QuerySet(model, using=using).filter(**{f"{field.name}__in": list(names)})
    return list(rows.order_by().values_list(field.name, flat=True).distinct())
