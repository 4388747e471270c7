"""After `migrate`: the database's copy of the policies, partitions, and the guard of tests."""

import sys
from typing import Any

from django.apps import AppConfig
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from lifecycle.backfill.progress import mark
from lifecycle.capture.triggers import registered
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.partitions import stored_partitions
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.policy_lock import make_locks
from lifecycle.db.tables import away, is_elsewhere, table_of, tables_in
from lifecycle.db.test_databases import is_test_database, reset_clock
from lifecycle.db.version import is_in_use, mismatch
from lifecycle.install.functions import all_functions, begin_use, has_schema
from lifecycle.install.guards import guard_truncate
from lifecycle.install.retired_policies import begins_anew, follow, retire
from lifecycle.install.triggers import install
from lifecycle.ledger.policy_states import wait_for_batches
from lifecycle.models import Event, PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

AGAIN = "Run `manage.py lifecycle install` when that is over; until then its policies wait."


def after_migrate(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Receiver of `post_migrate`."""
    if sender.name != "lifecycle" or not router.allow_migrate_model(using, Event):
        return
    if PolicyState._meta.db_table in tables_in(using) and (why := away(using)):
        sys.stderr.write(f"{why}.\n")
        return
    for why in sync(using).values():
        sys.stderr.write(f"{why}: it has not all of its triggers. {AGAIN}\n")


def sync(using: str) -> dict[str, str]:
    """Put triggers where the migrations want them; store every policy whose table exists.

    Returns the tables that were busy, and why. Their policies are left as they are: a new one is
    not stored before everything that is written is recorded, so that its backfill misses nothing.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return {}
    tables = tables_in(using)
    if PolicyState._meta.db_table not in tables:
        return {}
    if away(using):
        return {}
    if made_without_migrations(connection):
        install_all(using)
    if is_test_database(connection) and not is_in_use(using):
        begin_use(using)
    if why := mismatch(using):
        sys.stderr.write(f"Nothing ends: {why}.\n")
        return {}
    reset_clock(using)
    guard_truncate(using)
    make_locks((policy.name for policy in all_policies()), using)
    busy = install(using)
    for policy in all_policies():
        own = set(compiled(policy).tables)
        here = own <= tables and router.allow_migrate_model(using, policy.model)
        if here and own.isdisjoint(busy) and not is_elsewhere(using, models_of(policy)):
            with transaction.atomic(using=using):
                store(policy, using)
    retire(using)
    return busy


def made_without_migrations(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a test database that was made by `--nomigrations`."""
    return is_test_database(connection) and not has_schema(connection.alias)


def install_all(using: str) -> None:
    """What the migrations would have brought: functions, and triggers that are missing."""
    all_functions(using)
    there = tables_in(using)
    for model, trigger in registered():
        if table_of(model) in there:
            trigger.install(model, database=using)  # type: ignore[arg-type]


def store(policy: Policy, using: str) -> None:
    """Write the policy's definition; an unchanged one is left as it is.

    Another version of Django may compile the same declaration to other SQL, which is stored anew.

    A new policy on a table that has rows starts in `observe`: it records and ends nothing. Those
    rows, and all rows where what the triggers go by is another one, are marked to be read by the
    worker. With `observe_first` it does so on an empty table too.
    """
    code = compiled(policy)
    take_over(policy, using)
    known = PolicyState.objects.using(using).filter(name=policy.name).first()
    enforced = policy.holds == "enforced"
    stored = known and (known.fingerprint, known.due_sql, known.state_sql, known.enforced)
    follow(known, label_of(policy), using)
    anew = begins_anew(known, code.key.kind, label_of(policy))
    if stored == (fingerprint(policy), code.due_sql, code.state_sql, enforced) and not anew:
        return
    fetch(using, statement(__file__, "move_pending"), {"name": policy.name})
    filled = has_rows(using, code.tables[0])
    fetch(
        using,
        statement(__file__, "store_policy"),
        {
            "name": policy.name,
            "model": label_of(policy),
            "fingerprint": fingerprint(policy),
            "state": "observe" if filled or policy.observe_first else "enabled",
            "key_kind": code.key.kind,
            "due_sql": code.due_sql,
            "state_sql": code.state_sql,
            "enforced": enforced,
            "windowed": is_windowed(policy),
            "partitioned": stored_partitions(policy),
            "is_new": known is None or anew in ("declared", "model"),
            "anew": anew,
        },
    )
    mark(policy, using, filled, anew=known is None or bool(anew))


def take_over(policy: Policy, using: str) -> None:
    """Agenda, exceptions and state of the policy that this one was before, also if it is stored.

    Waits for the batches of both that are under way: they would list rows under the old name.
    """
    old = policy.previously
    if old is None or old in {each.name for each in all_policies()}:
        return
    if not PolicyState.objects.using(using).filter(name=old).exists():
        return
    for name in sorted((old, policy.name)):
        wait_for_batches(name, using)
    names = {"old": old, "new": policy.name, "model": label_of(policy)}
    for (state,) in fetch(using, statement(__file__, "rename_policy"), names):
        fetch(using, statement(__file__, "renamed"), names | {"state": state})


def has_rows(using: str, table: str) -> bool:
    """Whether a table has any row."""
    return bool(scalar(using, statement(__file__, "has_rows", table=table)))
