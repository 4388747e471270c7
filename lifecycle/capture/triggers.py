"""Capture triggers: built from a policy, relisted by django-pgtrigger's migrations.

pgtrigger gives the migrations; the SQL around the body is ours, because pgtrigger's own template
lets any session switch a trigger off, cannot set the time zone of a function, and locks each table
for as long as the migration lasts. Two triggers are the same when their fingerprints are, so a
library's upgrade makes no migration.
"""

import hashlib
import re
from functools import cache
from typing import Any

import pgtrigger
from django.db.models import Model
from psycopg import sql

from lifecycle.compiler.columns_read import image_of
from lifecycle.compiler.fingerprint import capture_fingerprint
from lifecycle.compiler.groups import groups_of, read_by
from lifecycle.compiler.identity import hashed, identity_sql, in_order, is_whole
from lifecycle.compiler.keys import arrays_of, key_of, label_of, subjects_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import counts_only, is_windowed, windows_of
from lifecycle.db.sql import literal, load
from lifecycle.db.tables import table_of
from lifecycle.exceptions import PolicyError
from lifecycle.operations import Captured, CaptureSql
from lifecycle.policy.policy import Policy

NEW = pgtrigger.Referencing(new="new_rows")
OLD = pgtrigger.Referencing(old="old_rows")
BOTH = pgtrigger.Referencing(old="old_rows", new="new_rows")


class CaptureTrigger(pgtrigger.Trigger):
    """One statement-level trigger on one table; its body is written when it is compiled."""

    when = pgtrigger.After
    level = pgtrigger.Statement

    def __init__(self, name: str, operation: Any, referencing: Any, **options: Any) -> None:
        options |= {"name": name, "operation": operation, "referencing": referencing}
        super().__init__(func="-", **options)

    def name_on(self, model: Any) -> str:
        """What trigger and function are called in the database."""
        return self.get_pgid(model).replace("-", "_")

    def compile(self, model: Any) -> Captured:
        return Captured(
            name=self.name,
            sql=CaptureSql(
                pgid=self.name_on(model),
                func=self.body(model),
                table=table_of(model),
                when=self.when,
                operation=self.operation,
                referencing=self.referencing or "",
                hash=self.fingerprint(model),
            ),
        )

    def fingerprint(self, model: type[Model]) -> str:
        """What makes this trigger another one than before."""
        raise NotImplementedError

    def body(self, model: type[Model]) -> str:
        """The plpgsql between AS $$ and $$."""
        raise NotImplementedError


class PolicyTrigger(CaptureTrigger):
    """INSERT and UPDATE: what a policy needs to know of."""

    def __init__(self, name: str, operation: Any, referencing: Any, policy: Policy) -> None:
        self.policy = policy
        super().__init__(name, operation, referencing)

    def fingerprint(self, model: type[Model]) -> str:
        version = "w1" if is_windowed(self.policy) else "2"
        return f"{capture_fingerprint(self.policy)}-{version}"

    def body(self, model: type[Model]) -> str:
        template, parts = str(self.operation).lower(), {}
        if is_windowed(self.policy):
            own = windows_of(self.policy)
            template = f"window_{template}"
            parts = {"unit": literal(own.unit), "every": f"{literal(own.every)}::text"}
            parts["start"] = own.start("lifecycle.finite_v1(due::timestamptz)")
        parts["due_sql"] = compiled(self.policy).due_sql
        parts["resolution"] = literal(self.policy.resolution)
        parts["read"] = image_of(self.policy, model, "one")
        parts["schedule"] = _fill("schedule", model, self.policy, **parts)
        # Joined with its parents' tables, a row would be looked for in both of its evaluations.
        joined = len(compiled(self.policy).tables) > 1
        parts["insert_one"] = "" if joined else _fill("insert_one", model, self.policy, **parts)
        return _fill(template, model, self.policy, **parts)


class TableTrigger(PolicyTrigger):
    """DELETE and TRUNCATE: one for the table, whichever policies stand on it."""

    def fingerprint(self, model: type[Model]) -> str:
        key = key_of(model)
        if self.counts:
            return f"{model._meta.label_lower}-counts-1"
        identity = f"{made_of}-" if (made_of := self.made_of()) else ""
        column = re.sub(
            r"['\\]", lambda sign: f"&{ord(sign[0])};", key.column
        )  # it is in a comment
        return f"{model._meta.label_lower}-{column}-{key.kind}-{identity}1"

    @property
    def counts(self) -> bool:
        """Whether it is told how many rows went, and not which: their keys are secrets."""
        return self.operation == pgtrigger.Delete and counts_only(self.policy.model)

    def made_of(self) -> str:
        """A short hash of what identities are made of; only a DELETE needs them.

        Of the policy's model: in a migration the other one is a model that no policy knows.
        """
        if self.operation != pgtrigger.Delete:
            return ""
        names = hashed(self.policy.model)
        made = identity_sql(self.policy.model, names)
        told = "" if is_whole(names) else names  # with its types, which the event says
        return hashlib.sha256(f"{told}{made}".encode()).hexdigest()[:8] if made else ""

    def body(self, model: type[Model]) -> str:
        if self.counts:
            return _fill("delete_counts", model, self.policy)
        parts = {"identify": "", "identified_by": "", "part": "NULL::bytea", "identity": "NULL"}
        names = hashed(self.policy.model)
        if made := identity_sql(self.policy.model, names):
            parts |= {"part": made, "identity": literal(names)}
            parts["identified_by"] = f", lc_identity_parts, {literal(names)}"
            parts["identify"] = _fill("identify", model, self.policy, bytes=made)
        return _fill(str(self.operation).lower(), model, self.policy, **parts)


class GroupTrigger(PolicyTrigger):
    """INSERT and UPDATE, where rows are kept in groups.

    A row that comes into one, or to another place in it, is looked at now: it may have displaced
    another.
    """

    def fingerprint(self, model: type[Model]) -> str:
        read = hashlib.sha256(read_by(self.policy, "one").encode()).hexdigest()[:8]
        return f"{capture_fingerprint(self.policy)}-{read}-1"

    def body(self, model: type[Model]) -> str:
        operation = str(self.operation).lower()
        parts = {"due_sql": compiled(self.policy).due_sql}
        parts["read"] = image_of(self.policy, model, "one") + read_by(self.policy, "one")
        parts["look"] = _fill(f"group_{operation}", model, self.policy, **parts)
        return _fill("group", model, self.policy, **parts)


def add_group_triggers(policy: Policy) -> None:
    """Attach them where rows are kept in groups, by names that no policy's others can have."""
    if groups_of(policy):
        name = policy.name.replace("-", "_")
        add(policy.model, GroupTrigger(f"lc_{name}_i_g", pgtrigger.Insert, NEW, policy))
        add(policy.model, GroupTrigger(f"lc_{name}_u_g", pgtrigger.Update, BOTH, policy))


def add_triggers(policy: Policy) -> None:
    """Attach the policy's triggers to its model, and to the parents whose columns are its own."""
    name = policy.name.replace("-", "_")
    add(policy.model, PolicyTrigger(f"lc_{name}_i", pgtrigger.Insert, NEW, policy))
    add(policy.model, PolicyTrigger(f"lc_{name}_u", pgtrigger.Update, BOTH, policy))
    for parent in policy.model._meta.concrete_model._meta.get_parent_list():  # type: ignore[union-attr]
        # Foreign keys are deferred: the child's row may be written before its parent's.
        add(parent, PolicyTrigger(f"lc_{name}_i", pgtrigger.Insert, NEW, policy))
        add(parent, PolicyTrigger(f"lc_{name}_u", pgtrigger.Update, BOTH, policy))
    add_group_triggers(policy)
    if not any(t.name == "lc_delete" for t in triggers_on(table_of(policy.model))):
        add(policy.model, TableTrigger("lc_delete", pgtrigger.Delete, OLD, policy))
        add(policy.model, TableTrigger("lc_truncate", pgtrigger.Truncate, None, policy))


def triggers_on(table: str) -> list[CaptureTrigger]:
    """The capture triggers that the code declares for a table."""
    found = [trigger for model, trigger in registered() if table_of(model) == table]
    return sorted(found, key=lambda trigger: str(trigger.name))


def registered() -> list[tuple[type[Model], CaptureTrigger]]:
    """Every capture trigger that the code declares, with its model."""
    pairs: Any = pgtrigger.registered()
    return [(model, trigger) for model, trigger in pairs if isinstance(trigger, CaptureTrigger)]


@cache
def bare(module: str, name: str) -> str:
    """A body without its comments: it is copied into the host's migrations."""
    return re.sub(r"^ *--.*\n|  --.*$", "", load(module, name), flags=re.MULTILINE)


def add(model: type[Model], trigger: CaptureTrigger) -> None:
    """Attach a trigger; the next `makemigrations` of the model's app writes it down."""
    pgtrigger.register(trigger)(model)


def _fill(template: str, model: type[Model], policy: Policy, **parts: str) -> str:
    key = key_of(model)
    parts |= {
        "kind": key.kind,
        "table": sql.Identifier(table_of(model)).as_string(),
        "own_key": key.stored(sql.Identifier(key.column).as_string()),
        "stored_key": key.stored("key"),
        "order": in_order(model),
        "model": literal(label_of(policy)),
        "subjects": subjects_of(key, "lc_keys"),
        "arrays": arrays_of(key, "lc_keys"),
        "policy": literal(policy.name),
    }
    body = re.sub(r"@(\w+)@", lambda token: parts[token[1]], bare(__file__, f"body_{template}"))
    if "$lifecycle$" in body:
        raise PolicyError("A policy's SQL may not contain $lifecycle$.")
    return body
