"""The rows that belong to a row: by the relations that an erasure follows.

What would go along is followed further; what refers to those rows and would stay (its link emptied,
or PROTECT) is taken too, and not followed. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import CASCADE, FileField, Model, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete

from lifecycle.db.rows import every_row

GOES = ("CASCADE", "DB_CASCADE")  # Django's name, and that of the database's own


@dataclass
class Found:
    """Rows of one model: their keys, and whether an erasure leaves them."""

    model: Any
    goes: set[Any] = field(default_factory=set)
    stays: set[Any] = field(default_factory=set)

    @property
    def keys(self) -> set[Any]:
        """All of them."""
        return self.goes | self.stays


def collect(row: Model, using: str) -> list[Found]:
    """The row itself first, then what refers to it, by model."""
    model: Any = type(row)._meta.concrete_model
    found: dict[Any, Found] = {model: Found(model, {row.pk})}
    waiting: list[tuple[Any, set[Any]]] = [(model, {row.pk})]
    while waiting:
        upper, keys = waiting.pop(0)
        for lower, rows, goes in _below(upper, keys, using):
            own = found.setdefault(lower, Found(lower))
            new = set(rows.values_list("pk", flat=True)) - (own.goes if goes else own.keys)
            if goes:
                own.goes |= new
                waiting += [(lower, new)] if new else []
            else:
                own.stays |= new
    for each in found.values():
        each.stays -= each.goes
    return [each for each in found.values() if each.keys]


def rows_of(found: Found, using: str) -> Iterator[dict[str, Any]]:
    """Each row as a mapping of its columns, those of its parents too, in key order.

    Without the hash of a password.
    """
    names = [each.attname for each in found.model._meta.concrete_fields]
    if issubclass(found.model, AbstractBaseUser):
        names = [each for each in names if each != "password"]
    rows = every_row(found.model, using).filter(pk__in=found.keys).order_by("pk")
    yield from rows.values(*names).iterator(chunk_size=1000)


def files_of(found: Found) -> list[Any]:
    """The file fields of a model."""
    return [each for each in found.model._meta.concrete_fields if isinstance(each, FileField)]


def _below(upper: Any, keys: set[Any], using: str) -> Iterator[tuple[Any, "QuerySet[Any]", bool]]:
    above = every_row(upper, using).filter(pk__in=keys)
    relations: Any = get_candidate_relations_to_delete(upper._meta)
    for relation in relations:
        lower = relation.related_model._meta.concrete_model
        rows = every_row(lower, using).filter(**{f"{relation.field.name}__in": above})
        how = relation.on_delete
        yield lower, rows, how is CASCADE or getattr(how, "__name__", "") in GOES
    for each in upper._meta.private_fields:
        if hasattr(each, "bulk_related_objects"):
            rows = each.bulk_related_objects(list(above), using)
            yield each.related_model._meta.concrete_model, rows, True
