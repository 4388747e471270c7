"""What a plan was made of beside rows: how its policy is declared, and what takes rows along."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db.models.deletion import get_candidate_relations_to_delete

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.db.ties import ties
from lifecycle.policy.policy import Policy
from purge.batch.cascade.ties import reached, tables_reached


def declared(policy: Policy, using: str) -> str:
    """The policy's fingerprint, and a hash of every relation and foreign key by which rows may go
    along with its rows: another one means that other rows would end than those that were planned.
    """
    model: Any = policy.model._meta.concrete_model
    known = ties(using, tables_reached(model))
    tied = [(tie.upper, tie.table, tie.columns, tie.keys, tie.action) for tie in known]
    said = repr([sorted(set(_relations(model))), sorted(tied)])
    return f"{fingerprint(policy)} {hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _relations(model: Any) -> Iterator[tuple[str, str, str, str]]:
    for each in reached(model):
        relations: Any = get_candidate_relations_to_delete(each._meta)
        for relation in relations:
            how = getattr(relation.on_delete, "__name__", type(relation.on_delete).__name__)
            lower = relation.related_model._meta.label
            yield each._meta.label, lower, relation.field.name, how
        for field in each._meta.private_fields:
            if hasattr(field, "bulk_related_objects"):
                yield each._meta.label, field.related_model._meta.label, field.name, "generic"
