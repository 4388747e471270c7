"""Conditions that keep rows of a group, as a query and as the parts of statements.

The query says of any row whether it is kept by what is committed: `live()`, triggers and forecasts
read it. Only a batch ends rows, and locks those that they are counted by; it is given the parts.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef, Q
from psycopg import sql

from lifecycle.db.connection import Placed, Raw
from lifecycle.db.rows import every_row, home
from lifecycle.db.tables import table_of
from lifecycle.policy.groups import KeepNewest
from lifecycle.policy.policy import Policy


@dataclass(frozen=True)
class Group:
    """A condition that keeps rows of a group, with the name that the policy gives it, or ''."""

    name: str
    rule: KeepNewest


def groups_of(policy: Policy) -> list[Group]:
    """The conditions of a policy that keep the newest or oldest rows of groups."""
    named: dict[str, Any] = policy.conditions or {"": policy.keep_while}
    return [Group(name, each) for name, each in named.items() if isinstance(each, KeepNewest)]


def kept_in_group(policy: Policy, rule: KeepNewest) -> Q:
    """Whether fewer than `n` rows of the row's group come before it; true where it has no group."""
    concrete: Any = policy.model._meta.concrete_model
    side = "gt" if rule.newest else "lt"
    by, rivals = str(rule.by), every_row(concrete, home(policy.model)).order_by()
    further = Q(**{f"{by}__{side}": OuterRef(by)}) | Q(**{f"pk__{side}": OuterRef("pk")})
    same = {name: OuterRef(name) for name in rule.per}
    rivals = rivals.filter(policy.when, further, **same, **{f"{by}__{side}e": OuterRef(by)})
    return ~Q(Exists(rivals[rule.n - 1 : rule.n]))


@cache
def parts_of(policy: Policy, rule: KeepNewest, matching: str) -> dict[str, Any]:
    """What statements about groups name: columns of the table, quoted, and the two directions."""
    table, (per, by) = table_of(policy.model), rule.columns(policy.model)
    columns = ["true", *(sql.Identifier(table, column).as_string() for column in per)]
    groups = {f"lc_group_{number}": column for number, column in enumerate(columns)}
    return {
        "grouped": Placed("".join(f", {own} AS {name}" for name, own in groups.items())),
        "groups": Placed(", ".join(groups)),
        "same": Placed(" AND ".join(f"{own} = lc_own.{name}" for name, own in groups.items())),
        "by": Placed(sql.Identifier(table, by).as_string()),
        "before": Placed(">" if rule.newest else "<"),
        "after": Placed("<" if rule.newest else ">"),
        "first": Placed("DESC" if rule.newest else "ASC"),
        "matching": Raw(matching),
    }


def read_by(policy: Policy, row: str) -> str:
    """SQL: the columns of a row by which its place in any group goes."""
    names: dict[str, None] = {}
    for group in groups_of(policy):
        per, by = group.rule.columns(policy.model)
        names |= dict.fromkeys([*per, by])
    return "".join(f", {sql.Identifier(row, name).as_string()}" for name in names)
