"""`manage.py lifecycle install`: whatever is missing in a database is made, however it went.

`migrate` makes what its migrations say, and leaves alone what somebody has taken off since. Here
all of it comes back, in the order in which each needs the other: the package's tables, its
functions, the guards of the ledger, the functions of the triggers, the triggers on the tables, the
policies' copy, what roles were granted. Each step is a transaction of its own and is not done
twice: killed at any moment, the next call does what is left.

What was written while something was missing is on no agenda: the tables concerned are marked to be
read by the worker.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.apps import apps
from django.db import connections, router, transaction
from django.db.migrations.executor import MigrationExecutor

from lifecycle.backfill.progress import mark
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import fetch, statement
from lifecycle.db.salt import without_salt
from lifecycle.db.table_lock import AGAINST_WRITERS, locked, qualified
from lifecycle.db.tables import PENDING, table_of, tables_in
from lifecycle.db.version import VERSION, is_in_use, mismatch, stamp_of, to_install
from lifecycle.exceptions import LifecycleError
from lifecycle.install.after_migrate import has_rows, sync
from lifecycle.install.functions import (
    PACKAGE,
    begin_use,
    has_schema,
    make_functions,
    make_pending,
    other_functions,
)
from lifecycle.install.granted import grant_again
from lifecycle.install.guards import make_guards
from lifecycle.install.triggers import (
    Attached,
    capture_functions,
    declared,
    missing,
    switched_off,
    unrecorded,
)
from lifecycle.models import PolicyState
from lifecycle.policy.databases import is_at
from lifecycle.policy.registry import all_policies

MANY = 10  # functions that are counted rather than named


@dataclass
class Made:
    """What an installation has made, in lines for people; the tables that were busy, and why."""

    lines: list[str] = field(default_factory=list)
    busy: dict[str, str] = field(default_factory=dict)

    def say(self, what: str, names: Iterable[str]) -> None:
        """A line, where there is anything to say."""
        if found := sorted(names):
            self.lines.append(f"{what} {', '.join(found)}.")


def install_everything(using: str) -> Made:
    """Make what is missing; raises `LifecycleError` where migrations have to come first."""
    made = Made()
    refuse(using)
    made.say("Tables made:", make_tables(using))
    refuse_other_version(using)
    unseen = not has_schema(using) or not is_in_use(using)
    functions: list[str] = []
    if needs_functions(using):
        with transaction.atomic(using=using):  # or a role might be left without what it may call
            functions = make_functions(using)
            again = grant_again(using)
            mark_all(using)
        few = len(functions) < MANY
        made.say("Functions made:", functions if few else [f"{len(functions)}"])
        made.say("Granted again to", again)
    made.say("Guards of the ledger made:", make_guards(using))
    if unseen:  # whether or not the functions that were made have set it to be in use
        with transaction.atomic(using=using):
            mark_all(using)
            begin_use(using)
        made.lines += filter(None, [without_salt(using)])
    gaps = _tables(using) if unseen or functions else unrecorded(using)
    put_on(using, made)
    read_again(using, gaps - made.busy.keys(), made)
    return made


def refuse(using: str) -> None:
    """The package's own migrations come first: what they make, they would not find."""
    plan = MigrationExecutor(connections[using])
    leaves = [node for node in plan.loader.graph.leaf_nodes() if node[0] in PACKAGE]
    if plan.migration_plan(leaves):
        raise LifecycleError(f"The package's migrations have not run: {to_install(using)}.")


def refuse_other_version(using: str) -> None:
    """Code of another version than the database makes nothing in it."""
    if stamp_of(using) not in (None, VERSION):
        raise LifecycleError(f"{mismatch(using)}.")


def make_tables(using: str) -> list[str]:
    """The package's tables that are gone although their migrations have run."""
    there = tables_in(using)
    configs = [apps.get_app_config(label) for label in PACKAGE if apps.is_installed(label)]
    models = [m for c in configs for m in c.get_models() if router.allow_migrate_model(using, m)]
    gone = [model for model in models if model._meta.db_table not in there]
    with connections[using].schema_editor() as editor:
        for model in gone:
            editor.create_model(model)
    made = [model._meta.db_table for model in gone]
    if PENDING not in there:
        make_pending(using)
        made.append(PENDING)
    return made


def needs_functions(using: str) -> bool:
    """Whether a function is missing or another, or the stamp beside them."""
    return bool(other_functions(using)) or stamp_of(using) is None


def put_on(using: str, made: Made) -> None:
    """Triggers, by this code and not by what migrations say; then what comes after them."""
    make_trigger_functions(using)
    tables = {each.root or table for (_, table), each in missing(using).items()}
    enabled = [enable(using, each) for each in switched_off(using)]
    before = set(PolicyState.objects.using(using).values_list("name", "fingerprint"))
    made.busy = sync(using)
    made.say("Triggers changed on", tables - made.busy.keys())
    made.say("Triggers enabled on", set(enabled))
    stored = set(PolicyState.objects.using(using).values_list("name", "fingerprint")) - before
    made.say("Policies stored:", {name for name, _ in stored})


def make_trigger_functions(using: str) -> None:
    """The functions of all triggers of this code whose tables have the columns for them."""
    marks, places = capture_functions(using), columns(using)
    for code in declared(using):
        if marks.get(code.pgid) != code.mark and code.table in places:
            with transaction.atomic(using=using):
                fetch(using, str(code))


def columns(using: str) -> set[str]:
    """The tables that have all the columns of their models: no migration of them is left to run."""
    there = {(t, c) for t, c in fetch(using, statement(__file__, "columns"))}
    return {
        table_of(model)
        for model in apps.get_models(include_auto_created=True)
        if {(table_of(model), f.column) for f in model._meta.local_concrete_fields} <= there
    }


def enable(using: str, trigger: Attached) -> str:
    """Switch a trigger on; the name of its table."""
    table = qualified(trigger.schema, trigger.table)
    text = statement(__file__, "enable_trigger", table=table, trigger=trigger.trigger)
    locked(using, table, AGAINST_WRITERS, partial(_run, using, text))
    return trigger.table


def read_again(using: str, tables: set[str], made: Made) -> None:
    """Have the worker read the tables of policies that were written to unseen."""
    names = []
    known = set(PolicyState.objects.using(using).values_list("name", flat=True))
    for policy in all_policies():
        own = compiled(policy).tables
        if policy.name in known and is_at(policy.model, using) and tables.intersection(own):
            filled = has_rows(using, own[0])
            mark(policy, using, filled, anew=True)
            names += [policy.name] if filled and not policy.on_request else []
    made.say("Rows written meanwhile will be found by the worker, which reads the tables of", names)


def mark_all(using: str) -> None:
    """In the transaction that ends the reason: who comes after a kill would not know of it."""
    read_again(using, _tables(using), Made())


def _tables(using: str) -> set[str]:
    return {code.table for code in declared(using)}


def _run(using: str, text: str) -> None:
    fetch(using, text)
