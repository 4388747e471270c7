"""Which names live rows hold: of all models of the site, in all of its databases."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connections, router
from django.db.models import FileField, Model, QuerySet

from lifecycle.sync import tables_in

from .stores import Store, store_of


def held(store: Store, names: Iterable[str]) -> set[str]:
    """The names whose objects some live row shows, under whatever name it knows them.

    One statement for each file field whose storage may have these objects. What transactions have
    written that are still open is not seen.
    """
    paths = {store.path(name): name for name in names}
    found: set[str] = set()
    for using in connections:
        fields = fields_at(store, using)
        tables = tables_in(using) if fields else set()
        for field, other in fields:
            if field.model._meta.db_table not in tables:
                continue
            own = {_name_in(other, path): name for path, name in paths.items()}
            own.pop(None, None)
            found |= {own[name] for name in _shown(field, own, using)}
    return found


def fields_at(store: Store, using: str) -> list[tuple[FileField, Store]]:
    """The file fields that may hold objects of a store, of models that may be in a database."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not router.allow_migrate_model(using, model):
            continue
        for field in model._meta.local_concrete_fields:
            if isinstance(field, FileField):
                other = store_of(field.storage)
                if other.root == store.root:
                    found.append((field, other))
    return found


def _name_in(other: Store, path: str) -> str | None:
    """What another storage calls the object at this path; None where it cannot reach it."""
    return path.removeprefix(other.prefix) if path.startswith(other.prefix) else None


def _shown(field: FileField, names: Iterable[Any], using: str) -> list[str]:
    model: type[Model] = field.model
    # Not the model's own managers, which may hide rows.
    rows: QuerySet[Any] = QuerySet(model, using=using).filter(**{f"{field.name}__in": list(names)})
    return list(rows.order_by().values_list(field.name, flat=True).distinct())
