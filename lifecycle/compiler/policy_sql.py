"""Policy -> SQL: the one definition of "due", used by triggers, worker and querysets alike.

Compiled by the ORM with values inlined, without a connection.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache, reduce
from operator import and_
from typing import Any

from django.db import connections
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    DurationField,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.sql import UpdateQuery
from psycopg import sql

from lifecycle.compiler.groups import kept_in_group
from lifecycle.compiler.keys import Key, key_of
from lifecycle.compiler.notices import notice_of
from lifecycle.compiler.row_tables import tables_of
from lifecycle.compiler.time_zones import zoned
from lifecycle.db.rows import every_row, home
from lifecycle.db.sql import inline
from lifecycle.exceptions import PolicyError
from lifecycle.policy.dispositions import Update
from lifecycle.policy.groups import KeepNewest
from lifecycle.policy.policy import Policy


@dataclass(frozen=True)
class Compiled:
    """A policy as SQL.

    due_sql     SELECT key, matches, due: when the row ends by its own columns, NULL = never
    state_sql   SELECT key, matches, due, keep, grace: all the worker has to know of a row; and
                `keeps`, the names of the conditions that keep it, where they have names;
                `notice`, the seconds before its end at which mails go, where there are notices
    tables      the model's table, then those of its parents that the two read
    update_sql  the SET list of an `Update`, or ''
    """

    due_sql: str
    state_sql: str
    tables: tuple[str, ...]
    key: Key
    update_sql: str

    @property
    def key_column(self) -> str:
        """The key's column, quoted with its table."""
        return sql.Identifier(self.tables[0], self.key.column).as_string()


@cache
def compiled(policy: Policy) -> Compiled:
    """The policy's SQL. Raises what the ORM raises for a wrong field name."""
    rows = rows_of(policy)
    return Compiled(
        due_sql=select(rows, key=F("pk"), matches=matches_of(policy), due=due_of(policy)),
        state_sql=select(
            rows,
            key=F("pk"),
            matches=matches_of(policy),
            due=due_of(policy),
            keep=keep_of(policy),
            grace=grace_of(policy),
            **({"keeps": keeps_of(policy)} if policy.conditions else {}),
            **({"notice": notice_of(policy)} if policy.notice else {}),
        ),
        tables=tables_of(policy.model),
        key=key_of(policy.model),
        update_sql=_assignments(policy),
    )


def select(rows: QuerySet[Any], **columns: Any) -> str:
    """`SELECT` of the named expressions over all rows, with values inlined."""
    names = {f"lifecycle_{name}": expression for name, expression in columns.items()}
    query = rows.annotate(**names).values_list(*names).query
    statement, params = query.get_compiler(connection=connections[rows.db]).as_sql()
    text = inline(statement, params)
    # Only the aliases: a column or table of the host may begin with the same word.
    for name in columns:
        text = text.replace(f' AS "lifecycle_{name}"', f' AS "{name}"')
    return text


@cache
def columns_of(policy: Policy) -> dict[str, str] | None:
    """What `state_sql` selects, each by itself, as SQL over the policy's own table.

    For statements that name the table once, and read and change it. None where it takes more than
    the table to read them, such as its parents'.
    """
    wanted = {"matches": matches_of, "due": due_of, "keep": keep_of, "grace": grace_of}
    found = {name: _alone(policy, made(policy)) for name, made in wanted.items()}
    return None if None in found.values() else {name: str(text) for name, text in found.items()}


def _alone(policy: Policy, expression: Any) -> str | None:
    """SQL of an expression between SELECT and FROM, where FROM is the table and no more."""
    before, (table, *parents) = "SELECT ", tables_of(policy.model)
    after = f' AS "alone" FROM {connections[home(policy.model)].ops.quote_name(table)}'
    text = select(rows_of(policy), alone=expression)
    is_whole = text.startswith(before) and text.endswith(after) and not parents
    return text[len(before) : -len(after)] if is_whole else None


def due_query(policy: Policy) -> Any:
    """The ORM's query of what triggers evaluate: `when` and `expires`."""
    return _annotated(policy, matches=matches_of(policy), due=due_of(policy))


def state_query(policy: Policy) -> Any:
    """The ORM's query of what the worker evaluates beside: `keep_while` and `grace`."""
    return _annotated(policy, keep=keep_of(policy), grace=grace_of(policy))


def select_due(policy: Policy) -> str:
    """`due_query` as SQL."""
    return select(rows_of(policy), matches=matches_of(policy), due=due_of(policy))


def _annotated(policy: Policy, **columns: Any) -> Any:
    return rows_of(policy).annotate(**columns).values_list(*columns).query


def due_of(policy: Policy) -> Expression | Case:
    """When a row ends; an `Update` acts after the grace, so its grace is part of the due time."""
    if policy.on_request:
        return ExpressionWrapper(Value(None), DateTimeField())
    moment: Any = ExpressionWrapper(zoned(policy.expires), DateTimeField())
    if isinstance(policy.disposition, Update) and policy.grace:
        moment = ExpressionWrapper(moment + _duration(policy.grace), DateTimeField())
    return moment if policy.when == Q() else Case(When(policy.when, then=moment), default=None)


def matches_of(policy: Policy) -> Expression | Case:
    """Whether `when` is true; unknown counts as false."""
    return _truth(policy.when)


def keep_of(policy: Policy) -> Expression | Case:
    """Whether `keep_while` is true; unknown counts as true, for nothing may end by accident."""
    if policy.keep_while is None:
        return ExpressionWrapper(Value(False), BooleanField())
    return keep_by(policy, *(policy.conditions.values() or [policy.keep_while]))


def keep_by(policy: Policy, *conditions: Any) -> Case:
    """Whether any of the policy's conditions is true or unknown."""
    none = reduce(and_, (~_condition(policy, each) for each in conditions))
    return Case(When(none, then=Value(False)), default=Value(True))


def keeps_of(policy: Policy) -> Expression:
    """The names of the conditions that are true or unknown, where they have names."""
    return Func(
        *(
            Case(When(~_condition(policy, condition), then=Value(None)), default=Value(name))
            for name, condition in sorted(policy.conditions.items())
        ),
        template="pg_catalog.array_remove(ARRAY[%(expressions)s]::text[], NULL)",
        output_field=TextField(),
    )


def grace_of(policy: Policy) -> Expression:
    """How long a tombstoned row stays."""
    if isinstance(policy.disposition, Update):
        return _duration(timedelta(0))
    return _duration(policy.grace)


def select_grace(policy: Policy) -> str:
    """`SELECT key, grace`: the grace as it is declared, also of an `Update`."""
    return select(rows_of(policy), key=F("pk"), grace=_duration(policy.grace))


def _duration(grace: Any) -> Expression:
    if isinstance(grace, timedelta):
        return Value(grace, DurationField())
    return ExpressionWrapper(F(grace) if isinstance(grace, str) else grace, DurationField())


def _condition(policy: Policy, condition: Any) -> Any:
    if isinstance(condition, KeepNewest):
        return kept_in_group(policy, condition)
    return condition if isinstance(condition, Q) else Q(condition)


def _truth(condition: Q) -> Expression | Case:
    if condition == Q():
        return ExpressionWrapper(Value(True), BooleanField())
    return Case(When(condition, then=Value(True)), default=Value(False))


def rows_of(policy: Policy) -> QuerySet[Any]:
    concrete: Any = policy.model._meta.concrete_model
    return every_row(concrete, home(policy.model)).order_by()


def _assignments(policy: Policy) -> str:
    if not isinstance(policy.disposition, Update):
        return ""
    return ", ".join(map(" = ".join, assignments(policy, policy.disposition.values)))


def assignments(policy: Policy, values: dict[str, Any]) -> list[tuple[str, str]]:
    """Columns, quoted, and what an `Update` sets them to, as SQL."""
    return [_assignment(policy, name, value) for name, value in values.items()]


def _assignment(policy: Policy, name: str, value: Any) -> tuple[str, str]:
    """Django writes a whole UPDATE; what stands before the value is known in full."""
    query: Any = rows_of(policy).query.chain(klass=UpdateQuery)
    query.add_update_values({name: value})
    connection = connections[home(policy.model)]
    statement, params = query.get_compiler(connection=connection).as_sql()
    meta, quote = query.get_meta(), connection.ops.quote_name
    column = quote(meta.get_field(name).column)
    before, found, text = inline(statement, params).partition(f" SET {column} = ")
    if not found or before != f"UPDATE {quote(meta.db_table)}":
        raise PolicyError(f"Policy {policy.name!r} cannot update {name!r} in {meta.db_table}.")
    return column, text
