"""What every word about a row needs: its lock, its key, one event."""

from typing import Any

from django.db.models import Model, QuerySet
from psycopg import sql
from psycopg.types.json import Jsonb

from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import key_of, key_text
from lifecycle.compiler.partitions import go_whole
from lifecycle.compiler.windows import counts_only
from lifecycle.db.connection import Placed, fetch, scalar, statement
from lifecycle.db.rows import every_row, home, home_of
from lifecycle.db.tables import is_elsewhere
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.row_names import named
from lifecycle.phrases import phrase
from lifecycle.policy.databases import ledger
from lifecycle.policy.registry import all_policies, get_policy, policies_of


def lock_row(obj: Model, using: str) -> str:
    """Lock the row against purge and return its key as the ledger writes it."""
    refuse_unnamed(type(obj))
    key = key_of(type(obj))
    own = Placed(key.text(sql.Identifier(key.column).as_string()))
    parts = {"pk": key.column, "key": own, "given": Placed(key.typed("%(key)s"))}
    text = statement(__file__, "lock_row", table=own_table(obj), **parts)
    rows = fetch(using, text, {"key": None if obj.pk is None else key_text(type(obj), obj.pk)})
    if not rows:
        raise RowMissing(phrase("%(row)s is not in the database.", row=named(obj)))
    written, is_of_another = rows[0]
    if is_of_another:
        raise LifecycleError(elsewhere(type(obj)))
    return str(written)


def elsewhere(model: Any) -> str:
    """That this session's table of the name is another one."""
    return phrase(
        "No row of %(model)s can be named in the ledger here: this connection's search path has "
        "another table in the place of that which the ledger knows.",
        model=model._meta.label,
    )


def refuse_unnamed(model: type[Model]) -> None:
    """Raise a `LifecycleError` where the ledger cannot or may not name rows of a model."""
    if other := _policy_beside(model):
        raise LifecycleError(
            phrase(
                "No row of %(model)s can be named in the ledger, because the policy on its table "
                "is of %(other)s: name the row of that model.",
                model=model._meta.label,
                other=other._meta.label,
            )
        )
    if model._meta.is_composite_pk:
        raise LifecycleError(
            phrase(
                "No row of %(model)s can be named in the ledger, because its key has "
                "several columns: hold a row that it goes along with.",
                model=model._meta.label,
            )
        )
    if counts_only(model):
        raise LifecycleError(
            phrase(
                "No row of %(model)s can be named in the ledger, because its keys are "
                "secrets (record_subjects=False): hold or change the policy.",
                model=model._meta.label,
            )
        )


def _policy_beside(model: type[Model]) -> Any:
    """Where no policy is on a model, but one is on another model of its table: that. The policy
    asks for holds and the like by its own model's name only."""
    if policies_of(model):
        return None
    own: Any = model._meta.concrete_model
    others: list[Any] = [policy.model._meta.concrete_model for policy in all_policies()]
    beside = (o for o in others if o is not own and o._meta.db_table == own._meta.db_table)
    return next((other for other in beside if home(other) == home(own)), None)


def refuse_singly(model: type[Model]) -> None:
    """Raise a `LifecycleError` where no row of a model can be named, or none ends by itself."""
    refuse_unnamed(model)
    refuse_apart(model)


def refuse_apart(model: type[Model]) -> None:
    """Raise a `LifecycleError` where rows of a model end with their partitions only."""
    if go_whole(model):
        raise LifecycleError(
            phrase(
                "No row of %(model)s ends, or comes back, by itself: its rows end with their "
                "partitions. Hold it, and its partition stays; or delete it by your own "
                "statement.",
                model=model._meta.label,
            )
        )


def lock_rows(rows: "QuerySet[Any]", using: str) -> list[str]:
    """The keys of the rows, locked in key order as the worker locks them."""
    refuse_unnamed(rows.model)
    if is_elsewhere(using, [rows.model._meta.concrete_model]):
        raise LifecycleError(elsewhere(rows.model))
    # By keys: a FOR UPDATE over the outer joins of a filter is refused.
    found = every_row(rows.model, using).filter(pk__in=rows.order_by().values("pk"))
    ordered = found.order_by("pk").select_for_update(no_key=True, of=("self",))
    return list(ordered.values_list(KeyText("pk"), flat=True))


def write(
    kind: str, using: str, policy: str = "", model: str = "", key: str | None = None,
    of: Model | type[Model] | None = None, detail: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Append one event about one row, or about none; returns its number."""
    of_key = key_of(of if isinstance(of, type) else type(of)).kind if of else None
    params: dict[str, Any] = {"kind": kind, "policy": policy, "model": model, "key": key}
    params |= {"type": of_key, "detail": Jsonb(detail or {})}
    return int(scalar(using, statement(__file__, "write_one"), params))


def alias_of(target: Any) -> str:
    """The database whose ledger is told."""
    if isinstance(target, Model):
        return home_of(target)  # not where it was read, which may be a replica
    if isinstance(target, str):
        return home(get_policy(target).model)
    return home(target.model) if hasattr(target, "model") else ledger()


def own_table(obj: Model) -> str:
    """The table of the row's own model."""
    return obj._meta.concrete_model._meta.db_table  # type: ignore[union-attr]
