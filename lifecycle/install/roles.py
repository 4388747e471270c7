"""Roles that own nothing: what the site, its officers, the worker and a reader are granted.

The ledger's tables are written by functions alone, which run as their owner: nobody else has INSERT
or DELETE on them. A function that is in no list is called by triggers and by the owner only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.db import transaction

from lifecycle.db.connection import Raw, fetch, statement
from lifecycle.db.table_lock import qualified
from lifecycle.db.tables import PENDING, tables_in
from lifecycle.exceptions import LifecycleError

SELECT, WRITE = "SELECT", "SELECT, INSERT, UPDATE, DELETE"
LEDGER = (
    "lifecycle_agenda",
    "lifecycle_event",
    "lifecycle_exception",
    "lifecycle_lock",
    "lifecycle_log",
    "lifecycle_pending",
    "lifecycle_policy",
    "lifecycle_seal",
    "lifecycle_segment",
)
#: what people at the site write down for the worker; what of it counts, the ledger's events say
ASKED = ("purge_forecast", "purge_request")
PLANNED = ("purge_plan", "purge_plan_part")
#: what was purged and is to be told: the site takes lines away by `acknowledge`, and adds none
_ANSWERED = {"purge_delivery": "SELECT, DELETE"}
OURS, QUEUE, HISTORY = ("lifecycle", "purge"), "huey_", "django_migrations"

_READ = (
    "keys_v1", "story_v1", "held_deleted_v1", "may_hold_v1", "segment_v1", "days_v1",
    # What the entries of a log are made of: events and salts, which whoever reads the ledger has.
    "fields_v1", "micros_v1", "merkle_root_v1", "part_v1", "subjects_v1", "parts_v1",
    "only_key_v1", "rows_v1", "entries_v1", "partitions_v1",
)  # fmt: skip
# What people say of rows, and what Django's signals say of them: each checks what it is given.
_SAY = (
    "record_v1", "look_again_v1", "retry_v1", "saved_v1", "unevaluated_v1", "removed_v1",
    "unshown_v1", "lock_policies_v1", "take_lock_v1", "steer_v1",
)  # fmt: skip
#: What the worker acts upon, row by row: no public web process has to write that.
_PLAN = ("plan_v1",)
_ENGINE = (
    "write_v1", "announce_v1", "scheduled_v1", "windowed_v1", "capture_failed_v1",
    "identities_v1", "spend_v1", "share_lock_v1", "try_lock_v1", "names_v1", "renewed_v1",
    "texts_v1", "excepted_v1", "excepted_of_v1", "exceptions_v1", "beat_v1", "open_log_v1",
    "seal_v1", "note_log_v1", "next_log_v1", "cover_v1",
    "prunable_v1", "prune_v1", "take_partition_v1", "drop_partition_v1",
    "move_pending_v1", "gather_pending_v1",
)  # fmt: skip

#: The functions of the schema `lifecycle` that a kind of role may call, beside what everybody may.
FUNCTIONS = {
    "reader": _READ, "site": _READ + _SAY, "officer": _READ + _SAY + _PLAN,
    "worker": _READ + _SAY + _PLAN + _ENGINE,
}  # fmt: skip

# SELECT ... FOR UPDATE of agenda entries, by which workers share the work, wants the right to
# UPDATE some column. `attempts` only says how patiently a locked row is tried again; no row ends by
# it. A function in its place would have to take the conditions of three statements as text.
_LOCKS = {"lifecycle_agenda": "SELECT, UPDATE (attempts)"}

#: What a reader may read of the worker's tables, for status, reports and metrics: runs, archives,
#: troubles, sums, what is not told yet. Of requests, which name people, how many and until when.
_WATCHED = dict.fromkeys(
    ("purge_alert", "purge_archive", "purge_delivery", "purge_notice", "purge_run",
     "purge_throttle", "purge_total"), SELECT,
)  # fmt: skip
_WATCHED["purge_request"] = "SELECT (policy, model, due_at, done_at)"
_WATCHED["purge_archive_erasure"] = "SELECT (policy, due_at, tries, waits_for)"
_WATCHED["purge_rewrite"] = "SELECT (policy, name, state, due_at, tries, error)"


@dataclass(frozen=True)
class Role:
    """A role of PostgreSQL, and what it is for: `site`, `officer`, `worker` or `reader`."""

    kind: str
    name: str


class Table(NamedTuple):
    """A table that is there."""

    schema: str
    name: str
    owner: str
    sequences: list[str]

    @property
    def quoted(self) -> Raw:
        """Its full name."""
        return qualified(self.schema, self.name)


def grants(roles: list[Role], using: str, ours_only: bool = False) -> list[str]:
    """The statements that give the roles what they need, and take from them what they do not need
    of this package's and the queue's tables and functions. On the site's tables they only give, and
    nothing where it is `ours_only`.

    Raises `LifecycleError` where a role is missing, a superuser, has the owner's rights, or those
    of another one of them.
    """
    tables = _tables(using)
    for role in roles:
        refuse(role, tables, using)
    refuse_members(roles, using)
    if ours_only:
        tables = [table for table in tables if _is_ours(table.name)]
    return [text for role in roles for text in _of(role, tables, using)]


def apply(statements: list[str], using: str) -> None:
    """Make the grants in one transaction: all of them, or none."""
    with transaction.atomic(using=using):
        for text in statements:
            fetch(using, text)


def refuse(role: Role, tables: list[Table], using: str) -> None:
    """Raise a `LifecycleError` for a role for which grants mean nothing."""
    owners = sorted({table.owner for table in tables if _is_ours(table.name)})
    found = fetch(using, statement(__file__, "standing"), {"role": role.name, "owners": owners})
    if not found:
        raise LifecycleError(f"There is no role {role.name!r}: CREATE ROLE ... LOGIN makes one.")
    is_super, is_owner = found[0]
    if is_super:
        raise LifecycleError(f"{role.name!r} is a superuser, whom no grant limits.")
    if is_owner:
        raise LifecycleError(
            f"{role.name!r} owns the ledger, or is a member of the role that does."
        )


def refuse_members(roles: list[Role], using: str) -> None:
    """Raise a `LifecycleError` where one role is a member of another: it is of two kinds."""
    names = [role.name for role in roles]
    for one, other in fetch(using, statement(__file__, "members"), {"names": names}):
        raise LifecycleError(
            f"{one!r} is a member of {other!r}, and has the rights of both: take it out of there."
        )


def further(role: Role, using: str) -> list[str]:
    """What a role may do with tables beside what its kind needs, in words.

    A role that was of another kind before has such rights on the site's tables. They are not taken
    back: they may be the site's own doing. So may be those of a role that it is a member of.
    """
    tables = _tables(using)
    params: dict[str, Any] = {"role": role.name, "tables": [str(each.quoted) for each in tables]}
    params["wanted"] = [rights_on(role.kind, table.name) for table in tables]
    found = fetch(using, statement(__file__, "further"), params)
    return [f"{right} on {_some(names)}" for right, names in found]


def _some(names: list[str]) -> str:
    shown, more = ", ".join(names[:5]), len(names) - 5
    return f"{shown} and {more} more" if more > 0 else shown


def rights_on(kind: str, table: str) -> str:
    """What a kind of role may do with a table; '' for nothing."""
    if table in LEDGER:
        return _LOCKS.get(table, SELECT) if kind == "worker" else SELECT
    if kind == "reader":
        return SELECT if table.startswith("lifecycle_") else _WATCHED.get(table, "")
    if _is_ours(table):
        asked = ASKED + PLANNED if kind == "officer" else ASKED
        return WRITE if kind == "worker" or table in asked else _ANSWERED.get(table, SELECT)
    if table.startswith(QUEUE):
        return WRITE if kind == "worker" else ""
    return SELECT if table == HISTORY else WRITE


def _of(role: Role, tables: list[Table], using: str) -> Iterator[str]:
    parts = {"role": role.name}
    for schema in sorted({table.schema for table in tables} | {"lifecycle"}):
        yield _filled("use_schema", schema=schema, **parts)
    for table in tables:
        yield from _on(role, table)
    yield _filled("clear_functions", **parts)
    found = fetch(using, statement(__file__, "functions"), {"names": list(FUNCTIONS[role.kind])})
    functions = Raw(", ".join(name for (name,) in found))
    yield _filled("grant_functions", functions=functions, **parts)


def _on(role: Role, table: Table) -> Iterator[str]:
    parts = {"table": table.quoted, "role": role.name}
    rights = rights_on(role.kind, table.name)
    if _is_ours(table.name) or table.name.startswith(QUEUE):
        yield _filled("clear_table", **parts)
        if table.sequences:
            yield _filled("clear_sequences", sequences=_sequences(table), role=role.name)
    if rights:
        yield _filled("grant_table", rights=Raw(rights), **parts)
    # The worker reads how far the ledger's numbers are; a load moves those of the site's tables on.
    more = "USAGE, SELECT, UPDATE" if role.kind == "worker" else "USAGE"
    sequences = SELECT if table.name in LEDGER and role.kind == "worker" else more
    if table.sequences and (rights == WRITE or sequences == SELECT):
        parts = {"rights": Raw(sequences), "sequences": _sequences(table), "role": role.name}
        yield _filled("grant_sequences", **parts)


def _sequences(table: Table) -> Raw:
    return Raw(", ".join(qualified(table.schema, name) for name in table.sequences))


def _filled(name: str, **parts: str) -> str:
    lines = statement(__file__, name, **parts).splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def _tables(using: str) -> list[Table]:
    """The tables of the models and of the queue that are in a database."""
    models = apps.get_models(include_auto_created=True, include_swapped=False)
    names = {model._meta.db_table for model in models} | {HISTORY}
    names |= {name for name in tables_in(using) if name.startswith(QUEUE) or name == PENDING}
    rows = fetch(using, statement(__file__, "tables"), {"names": sorted(names)})
    return [Table(*row) for row in rows]


def site_tables(using: str) -> list[str]:
    """The tables that are the site's own, by their full names."""
    names = [each for each in _tables(using) if not each.name.startswith((QUEUE, HISTORY))]
    return [str(each.quoted) for each in names if not _is_ours(each.name)]


def _is_ours(table: str) -> bool:
    """Whether a table is one of this package's apps."""
    here = (apps.get_app_config(label) for label in OURS if apps.is_installed(label))
    own = {model._meta.db_table for app in here for model in app.get_models()}
    return table in own | {PENDING}
