"""`run` and `enqueue`: end rows of a policy sooner, once, by a person's name.

    purge.run("draft-services", within=timedelta(hours=18), grace=timedelta(0), actor="ops: jo")

ends now, without their grace, the rows that would come to their end within 18 hours.
"""

from dataclasses import replace
from typing import Any

from django.db import transaction
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import scalar, statement
from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.caps import room
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.write import refuse_apart, refuse_unnamed
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import why_stopped
from purge.batch.outcome import Outcome
from purge.overrides.options import override_of
from purge.passes.options import PassOptions
from purge.passes.override import Override
from purge.runner import run_policy
from purge.sources.requested import MOST_EXCEPTIONS, how_many

log = Log("purge")


def enqueue(policy: str, actor: str = "", using: str | None = None, **options: Any) -> int:
    """Have a worker end rows of a policy sooner; returns the number of the ledger's event.

    Options and refusals are those of `run`. On the agenda until every row was looked at, so a
    killed worker loses nothing; while the policy is paused or held it waits. May be called in a
    transaction, and then counts when that commits.
    """
    using = using or home(get_policy(policy).model)
    known, override = _checked(policy, actor, using, options)
    return _record(known, override, using, listed=True)


def run(
    policy: str, actor: str = "", dry_run: bool = False, using: str | None = None,
    **options: Any,
) -> Outcome:  # fmt: skip
    """End rows of a policy sooner, now, in this process; not inside a transaction.

    within        rows that would end within this time
    older_than    the same by age, where the policy ends rows at an age; an older age takes fewer
    keep          names of the conditions of `keep_while` that count, in the grace too
    grace         timedelta(0): without their grace, also those that are tombstoned. Left out: the
                  rows are tombstoned, 10,000 at most, and have the policy's grace

    `when`, conditions without a name, holds, restores, the cap, pause and halt count as always; a
    longer grace is refused. Each event names the actor, who is required:
    `actor` or that of `lifecycle.context`. Raises `LifecycleError` before anything has changed.
    With `dry_run` the same is done and taken back, batch by batch.
    """
    using = using or home(get_policy(policy).model)
    known, override = _checked(policy, actor, using, options)
    if why := why_stopped(known, using, any_hour=True):
        raise LifecycleError(f"{policy} is {why}: nothing of it ends.")
    if not dry_run:
        override = replace(override, event=_record(known, override, using, listed=False))
    who: dict[str, Any] = {"origin": "override", "actor": override.actor, "using": using}
    done = run_policy(known, PassOptions(**who, dry=dry_run, any_hour=True, override=override))
    if done.tombstoned and not dry_run:
        run_policy(known, PassOptions(**who))
    return done


def _checked(
    policy: str, actor: str, using: str, options: dict[str, Any]
) -> tuple[Policy, Override]:
    known = get_policy(policy)
    override = override_of(known, actor or in_context("actor", using), options)
    if not override.actor:
        raise LifecycleError("An override wants a name: say who asks for it (actor=).")
    _check_size(known, override, using)
    return known, override


def _check_size(policy: Policy, override: Override, using: str) -> None:
    """Refuse what a brake would stop, before anything is recorded."""
    refuse_apart(policy.model)
    if not override.skips_grace:
        refuse_unnamed(policy.model)  # each row would become an exception
    left = room(policy, using)
    rows = how_many(policy, using, override, max(left, MOST_EXCEPTIONS) + 1)
    if rows > left:
        left = room(policy, using, counted=True)
        rows = how_many(policy, using, override, max(left, MOST_EXCEPTIONS) + 1)
    if rows > left:
        raise LifecycleError(
            f"{policy.name}: more than {left} rows would end, which is what its cap leaves in these"
            " 24 hours."
        )
    if rows > MOST_EXCEPTIONS and not override.skips_grace:
        raise LifecycleError(
            f"{policy.name}: more than {MOST_EXCEPTIONS} rows would be tombstoned by hand. Skip the"
            " grace (grace=timedelta(0)), or change the policy."
        )


def _record(policy: Policy, override: Override, using: str, listed: bool) -> int:
    params = {"policy": policy.name, "model": label_of(policy), "listed": listed}
    with (
        transaction.atomic(using=using),
        context(override.actor, in_context("cause", using), using),
    ):
        text = statement(__file__, "ask")
        event = int(scalar(using, text, params | {"detail": Jsonb(override.detail)}))
    named = {"policy": policy.name, "database": using, "event": event}
    transaction.on_commit(
        lambda: log("asked", f"{policy.name}: rows end sooner, event {event}", **named), using
    )
    return event
