"""Carrying out a plan that was applied: part by part, in transactions of their own.

Each transaction says how far the plan is done. A killed worker leaves nothing half done, another
one goes on after the last row, and no row is done twice. Any number of workers may share a plan.
"""

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import F, Func, IntegerField

from lifecycle.db.connection import fetch_each, local_settings, own_transaction, scalar
from lifecycle.ledger.context import context
from lifecycle.ledger.holds import hold_keys
from lifecycle.ledger.many import holds_of, release_keys, restore_keys
from lifecycle.ledger.row_names import model_of
from lifecycle.logs import Log
from lifecycle.policy.registry import get_policy, policies_of
from purge.exceptions import PlanAltered
from purge.models import Plan, PlanPart
from purge.passes.options import PassOptions, Planned
from purge.plans.declared import declared
from purge.plans.make import PART, hash_of, step_of
from purge.plans.told import acted_on, begun, is_stale
from purge.plans.withdraw import give_up, withdraw_stale
from purge.proof.gate import why_closed
from purge.runner import run_policy
from purge.sources.planned import Slice, digests, done_with, left_of, next_slice
from purge.sources.versions import classify, lock

ROW_WAIT = "10s"  # for rows that somebody else has; then the part is tried again later

log = Log("purge")


def waiting(using: str) -> list[int]:
    """The plans that are being applied, the oldest first."""
    found = Plan.objects.using(using).filter(state=Plan.State.APPLYING).order_by("id")
    return list(found.values_list("pk", flat=True))


def carry_out(number: int, using: str = DEFAULT_DB_ALIAS, deadline: float | None = None) -> bool:
    """Do what is left of a plan, until a moment of `time.monotonic()`; whether it is done.

    A plan that is not what was applied any more, or was applied over 7 days ago, is withdrawn, and
    nothing more of it is done.
    """
    plan = Plan.objects.using(using).get(pk=number)
    applied = begun(plan, using)
    if applied is None:
        plan.refresh_from_db(using=using)  # maybe another worker has just finished it
    if plan.state != Plan.State.APPLYING:
        return plan.state == Plan.State.DONE
    try:
        if applied is None or hash_of(plan, plan.digests) != plan.hash:
            raise PlanAltered(f"Plan {number} is not what was applied.")
        if is_stale(applied, using):
            withdraw_stale(number, using)
            return False
        plan.applier = applied.actor
        _carry_out(plan, using, deadline)
        return _finish(plan, using)
    except PlanAltered:
        give_up(plan, using)
        raise


def carry_out_all(using: str, deadline: float | None = None) -> None:
    """Do what is left of every plan; an error of one is logged and stops no other."""
    for number in waiting(using):
        try:
            carry_out(number, using, deadline)
        except Exception:
            log("plan_failed", f"plan {number}: stopped by an error", plan=number, database=using)


def _carry_out(plan: Plan, using: str, deadline: float | None) -> None:
    if plan.act == Plan.Act.RELEASE and why_closed(using):
        return  # as nothing ends: after a restore it may have been withdrawn
    if plan.act != Plan.Act.PURGE:
        while (deadline is None or time.monotonic() < deadline) and _say_next(plan, using):
            pass
        return
    policy = get_policy(plan.policy)
    if declared(policy, using) != plan.fingerprint:
        return  # code of before or after a deploy: it waits for what it was made of
    of = Planned(plan.pk, plan.digests, plan.applied, plan.applier)
    run_policy(
        policy,
        PassOptions("plan", plan.applier, using=using, any_hour=True, deadline=deadline, plan=of),
    )


def _say_next(plan: Plan, using: str) -> bool:
    """Say of the rows of the next part what is to be said; False after the last."""
    model = model_of(plan.model)
    with (
        own_transaction(using),
        context(plan.applier, using=using),
        local_settings(using, lock_timeout=ROW_WAIT),
    ):
        found = next_slice(plan.pk, plan.digests, using, PART, None)
        if found is None:
            return False
        locked = lock(model, using, found.keys)
        seen = classify(model, using, found.keys, found.versions, found.epoch)
        left = left_of(found, seen.same, seen.gone, locked)
        keys = [key for key in found.keys if key not in left]
        if keys:
            left |= _say(plan, model, keys, found, using)
        fetch_each(using, done_with(found, left))
    return True


def _say(plan: Plan, model: Any, keys: list[str], found: Slice, using: str) -> dict[str, str]:
    """Write the events of one part; which rows were left out after all, and why."""
    event = plan.applied or 0
    if plan.act == Plan.Act.HOLD:
        hold_keys(model, keys, using, plan.reason, plan.reference, plan.until, plan=event)
    elif plan.act == Plan.Act.RELEASE:
        return _release(model, keys, dict(zip(found.keys, found.holds, strict=True)), event, using)
    else:
        for policy in policies_of(model):
            if plan.policy in ("", policy.name):
                restore_keys(policy, keys, using, event, plan.until)
    return {}


def _release(
    model: Any, keys: list[str], planned: dict[str, list[int]], event: int, using: str
) -> dict[str, str]:
    """Lift the holds that were planned, of those that stand; never one that was placed since."""
    standing = holds_of(model, keys, using)
    by_hold: dict[int, list[str]] = {}
    for key in keys:
        for number in set(planned[key]).intersection(standing.get(key, ())):
            by_hold.setdefault(number, []).append(key)
    for number in sorted(by_hold):
        release_keys(model, by_hold[number], number, using, event)
    let_go = {key for each in by_hold.values() for key in each}
    return {key: "released" for key in keys if key not in let_go}


def _finish(verified: Plan, using: str) -> bool:
    """Close a plan whose last part is done; whether it is."""
    parts = PlanPart.objects.using(using).filter(plan=verified)
    size = Func(F("keys"), function="cardinality", output_field=IntegerField())
    if parts.filter(done__lt=size).exists():
        return False
    with transaction.atomic(using=using):
        plan = Plan.objects.using(using).select_for_update().get(pk=verified.pk)
        if plan.state == Plan.State.APPLYING:
            if digests(plan.pk, using) != verified.digests:
                raise PlanAltered(f"Parts of plan {plan.pk} are missing.")
            plan.applier = verified.applier
            _close(plan, list(parts.values_list("left", flat=True)), using)
    return plan.state == Plan.State.DONE


def _close(plan: Plan, left: list[dict[str, list[str]]], using: str) -> None:
    counts: dict[str, int] = {}
    for part in left:
        for reason, keys in part.items():
            counts[reason] = counts.get(reason, 0) + len(keys)
    plan.left, plan.acted = counts, plan.rows - sum(counts.values())
    if plan.acted > acted_on(plan, using):
        raise PlanAltered(f"Parts of plan {plan.pk} are noted as done of which no event tells.")
    plan.state, plan.done_at = Plan.State.DONE, scalar(using, "SELECT lifecycle.now_v1()")
    with context(plan.applier, using=using):
        step_of(plan, "done", using, plan.acted)
    plan.asked = []  # its values are of no more use
    plan.save(using=using)
    named = {"plan": plan.pk, "act": plan.act, "model": plan.model, "count": plan.acted}
    log("plan_done", f"plan {plan.pk}: {plan.acted} of {plan.rows} rows", **named, database=using)
