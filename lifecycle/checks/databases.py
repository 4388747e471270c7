"""Checks of where a policy's rows are written: beside their ledger, and all in one database.

A batch is one transaction of one database: what it locks, evaluates and deletes must be there.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage
from django.db import connections, router
from django.db.models import DO_NOTHING, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete
from django.db.models.expressions import Subquery
from django.db.models.sql import Query

from lifecycle.checks import policy_query
from lifecycle.checks.messages import error
from lifecycle.db.rows import home
from lifecycle.models import Event
from lifecycle.policy.coverage import CASCADES
from lifecycle.policy.databases import homes
from lifecycle.policy.policy import Policy


def on_postgres(policy: Policy) -> list[CheckMessage]:
    """E013: the model is written to another kind of database."""
    alias = home(policy.model)
    vendor = connections[alias].vendor
    if vendor == "postgresql":
        return []
    text = f"{policy.model._meta.label} is written to {alias!r}, which is {vendor}, not PostgreSQL."
    return [error(13, text, "Policies need django.db.backends.postgresql.", policy)]


def beside_its_ledger(policy: Policy) -> list[CheckMessage]:
    """E015: the database of the table has no ledger, or nobody looks after it."""
    alias = home(policy.model)
    if connections[alias].vendor != "postgresql":
        return []  # reported by E013
    label = policy.model._meta.label
    if not router.allow_migrate_model(alias, Event):
        text = f"{label} is written to {alias!r}, where the router puts no ledger."
        hint = "Row and event are one transaction: let `lifecycle` and `purge` migrate there too."
        return [error(15, text, hint, policy)]
    if alias in homes(policy.model):
        return []
    text = f"{label} is written to {alias!r}, which LIFECYCLE_DATABASES or the router leaves out."
    return [error(15, text, "Name it there, and let the router migrate the model to it.", policy)]


def reads_one_database(policy: Policy) -> list[CheckMessage]:
    """E016: `keep_while` or `grace` reads a table of another database."""
    alias, query = home(policy.model), policy_query.state(policy)
    here = {
        model._meta.db_table: home(model) for model in apps.get_models(include_auto_created=True)
    }
    strange = sorted(t for t in _tables(query) if here.get(t, alias) != alias) if query else []
    if not strange:
        return []
    text = f"`keep_while` or `grace` reads {strange[0]} of {here[strange[0]]!r}, the rows are in"
    hint = "Copy what it asks for into this database, or route both models to one."
    return [error(16, f"{text} {alias!r}.", hint, policy)]


def refers_within_one_database(policy: Policy) -> list[CheckMessage]:
    """E017: a foreign key to the table, or to what goes along with it, is in another database."""
    alias = home(policy.model)
    strange = [(name, home(m)) for name, m in _referring(policy.model) if home(m) != alias]
    hint = "Route both models to one database, or say on_delete=DO_NOTHING and clear it yourself."
    return [
        error(17, f"{name} is in {other!r}, the rows it points to in {alias!r}.", hint, policy)
        for name, other in strange[:1]
    ]


def inherits_within_one_database(policy: Policy) -> list[CheckMessage]:
    """E018: a parent's table is in another database than its child's."""
    parents: Any = policy.model._meta.concrete_model._meta.get_parent_list()  # type: ignore[union-attr]
    strange = [parent for parent in parents if home(parent) != home(policy.model)]
    hint = "A row of a child table is one with its parent's: route both to one database."
    return [
        error(18, f"The parent {parent._meta.label} is written to {home(parent)!r}.", hint, policy)
        for parent in strange[:1]
    ]


def _tables(query: Any) -> Iterator[str]:
    """The tables that a query reads, also in the subqueries of its expressions."""
    for alias, table in query.alias_map.items():
        if query.alias_refcount[alias]:
            yield table.table_name
    for node in (*query.annotations.values(), query.where):
        for inner in _subqueries(node):
            yield from _tables(inner)


def _subqueries(node: Any) -> Iterator[Any]:
    """The queries inside a resolved expression or condition."""
    if isinstance(node, Subquery):
        yield node.query
    elif isinstance(node, Query | QuerySet):
        yield getattr(node, "query", node)
    else:
        parts = [*getattr(node, "children", ()), *getattr(node, "get_source_expressions", list)()]
        for part in parts:
            yield from _subqueries(part)


def _referring(model: Any, seen: set[Any] | None = None) -> Iterator[tuple[str, Any]]:
    """The relations that Django's collector follows from a row, down the cascades: name, model."""
    seen = set() if seen is None else seen
    owners = {model._meta.concrete_model, *model._meta.get_parent_list()} - seen
    seen |= owners
    for owner in owners:
        relations: Any = get_candidate_relations_to_delete(owner._meta)
        for relation in relations:
            if relation.on_delete is not DO_NOTHING:
                yield str(relation.field), relation.field.model
            if relation.on_delete in CASCADES:
                yield from _referring(relation.field.model, seen)
        for field in owner._meta.private_fields:
            if hasattr(field, "bulk_related_objects"):
                yield str(field), field.remote_field.model


DATABASES = (
    on_postgres,
    beside_its_ledger,
    reads_one_database,
    refers_within_one_database,
    inherits_within_one_database,
)
