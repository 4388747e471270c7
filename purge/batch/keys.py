"""Keys."""

from typing import TYPE_CHECKING, Any

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, fetch
from purge.batch.cascade.python_keys import as_python
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch


def keys_told(batch: "Batch", subjects: Subjects) -> list[Any]:
    """The keys in order, as the ledger writes them: an `inet` has its mask there."""
    kind = compiled(batch.policy).key.kind
    key, rows = Placed(f"{batch.column}::{kind}"), subjects.where(batch.column)
    text = batch.sql(__file__, "locked_keys", key=key, rows=rows)
    return [key for (key,) in fetch(batch.using, text, batch.params(subjects))]


def keys_of(batch: "Batch", subjects: Subjects) -> list[Any]:
    """The keys as Python values, in order; only for the few rows that need it."""
    model: Any = batch.policy.model._meta.concrete_model
    text = batch.sql(
        __file__, "locked_keys", key=Placed(batch.column), rows=subjects.where(batch.column)
    )
    keys = [key for (key,) in fetch(batch.using, text, batch.params(subjects))]
    return as_python(model, keys, batch.using)
