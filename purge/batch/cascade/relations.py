"""What Django's `on_delete` says of the rows that refer to a model's rows, without reading any.

Whatever only Django's own collector can do (a function of the host's as `on_delete`, a relation
over several columns) has no edge here: `edges` says None, and the collector does all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.db.models.deletion import (
    CASCADE,
    PROTECT,
    RESTRICT,
    SET_DEFAULT,
    SET_NULL,
    get_candidate_relations_to_delete,
)
from django.db.models.expressions import RawSQL
from django.db.models.signals import post_delete, pre_delete

from lifecycle.compiler.keys import is_object, key_field, key_of
from lifecycle.db.rows import every_row
from lifecycle.db.ties import SKIPPED

GOES, PROTECTS, RESTRICTS, STAYS = "goes", "protects", "restricts", "stays"
ACTIONS = {
    CASCADE: GOES,
    PROTECT: PROTECTS,
    RESTRICT: RESTRICTS,
    SET_NULL: STAYS,
    SET_DEFAULT: STAYS,
}
NO_KEYS = "{}"
TEXTS = {"CharField", "TextField", "SlugField"}


@dataclass(frozen=True)
class Edge:
    """A relation to a model: who refers to it by which field, and what becomes of those rows.

    `value` gives what the field of rows that stay is set to.
    """

    model: Any
    field: Any
    action: str
    value: Callable[[], Any] = lambda: None

    def refers(self, upper: Any, keys: Any, using: str) -> Q:
        """The condition of the rows that refer to those rows of `upper`."""
        if hasattr(self.field, "bulk_related_objects"):
            return generic(self.field, _generic_keys(self.field, upper, keys), using)
        if self.field.remote_field.model._meta.concrete_model is upper and _is_by_key(self.field):
            return Q(**{f"{self.field.name}__in": key_array(upper, keys)})
        rows = every_row(upper, using).filter(pk__in=key_array(upper, keys))
        return Q(**{f"{self.field.name}__in": rows})


def key_array(model: Any, keys: Any, cast: str = "") -> Any:
    """The right side of `pk__in`: an array of keys, as PostgreSQL writes it, as one parameter.

    Keys of several columns, which few tables have, are a list of them.
    """
    if model._meta.is_composite_pk:
        return [] if keys == NO_KEYS else keys
    db_type = key_of(model).cast
    return RawSQL(f"SELECT unnest(%s::{db_type}[]){cast}", [keys])  # noqa: S611


def edges(model: Any) -> list[Edge] | None:
    """The relations to a model's rows; None where only Django's collector knows what to do."""
    found = []
    relations: Any = get_candidate_relations_to_delete(model._meta)
    for relation in relations:
        if relation.on_delete not in SKIPPED:
            found.append(_edge(relation))
    for field in model._meta.private_fields:
        if hasattr(field, "bulk_related_objects"):
            found.append(_generic_edge(field))
    return None if None in found else [edge for edge in found if edge]


def links(model: Any) -> list[tuple[Any, Any]]:
    """The parents of a child table with the fields that point to them."""
    parents = model._meta.concrete_model._meta.parents.items()
    return [(parent, link) for parent, link in parents if link is not None]


def tree(model: Any) -> dict[Any, list[Edge]] | None:
    """The edges of each model whose rows may go along, and of the model's own; None as above."""
    found: dict[Any, list[Edge]] = {}
    waiting = [model]
    while waiting:
        upper = waiting.pop()
        if upper in found:
            continue
        own = edges(upper)
        if own is None:
            return None
        found[upper] = own
        waiting += [edge.model for edge in own if edge.action == GOES]
    return found


def is_heard(model: Any, *which: Any) -> bool:
    """Whether receivers listen to the deletion of a model's rows: they want instances."""
    return any(signal.has_listeners(model) for signal in which or (pre_delete, post_delete))


def _edge(relation: Any) -> Edge | None:
    field, on_delete = relation.field, relation.on_delete
    if len(getattr(field, "foreign_related_fields", ())) != 1:
        return None
    if on_delete in ACTIONS:
        value = field.get_default if on_delete is SET_DEFAULT else lambda: None
        return Edge(relation.related_model, field, ACTIONS[on_delete], value)
    path, args, _ = getattr(on_delete, "deconstruct", lambda: ("", (), {}))()
    if path != "django.db.models.SET":
        return None
    return Edge(relation.related_model, field, STAYS, lambda: _called(*args))


def _called(value: Any) -> Any:
    return value() if callable(value) else value


def _generic_edge(field: Any) -> Edge | None:
    """A generic relation, where keys are written in it as PostgreSQL writes them."""
    if type(field).bulk_related_objects.__module__ != "django.contrib.contenttypes.fields":
        return None
    if field.model._meta.is_composite_pk or is_object(key_field(field.model)):
        return None  # what is written here is the text that Python gives to a key
    upper, kind = key_field(field.model).get_internal_type(), key_of(field.model).kind
    lower = _object_id(field).get_internal_type()
    same = (kind == "uuid" and lower == "UUIDField") or (kind == "bigint" and "Integer" in lower)
    as_text = lower in TEXTS and (kind != "text" or upper in TEXTS)
    return Edge(field.remote_field.model, field, GOES) if same or as_text else None


def _generic_keys(field: Any, upper: Any, keys: str) -> Any:
    cast = "::text" if _object_id(field).get_internal_type() in TEXTS else ""
    return key_array(upper, keys, cast)


def generic(field: Any, keys: Any, using: str) -> Q:
    """The condition of the rows that a generic relation gives to rows of these keys."""
    from django.contrib.contenttypes.models import ContentType

    types = ContentType.objects.db_manager(using)
    type_ = types.get_for_model(field.model, for_concrete_model=field.for_concrete_model)
    return Q(
        **{
            f"{field.content_type_field_name}__pk": type_.pk,
            f"{field.object_id_field_name}__in": keys,
        }
    )


def _object_id(field: Any) -> Any:
    return field.remote_field.model._meta.get_field(field.object_id_field_name)


def _is_by_key(field: Any) -> bool:
    return all(each.primary_key for each in field.foreign_related_fields)
