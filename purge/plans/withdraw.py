"""Withdrawing a plan: by a person, for its age, or because it was altered. Each is an event."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.models import Q

from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log
from lifecycle.models import Event
from purge.models import Plan, PlanPart
from purge.plans.make import step_of
from purge.plans.refusals import LASTS, SHOWN_FOR
from purge.plans.told import CARRIED_OUT_FOR

log = Log("purge")


def withdraw(plan: Plan, using: str) -> None:
    """Withdraw a plan that the caller's transaction has locked; the actor is the context's."""
    step_of(plan, "withdrawn", using)
    plan.state, plan.asked = Plan.State.WITHDRAWN, []
    plan.save(using=using)


def give_up(plan: Plan, using: str) -> None:
    """Take a plan that was altered for withdrawn, and say so."""
    state = {"state": Plan.State.WITHDRAWN, "asked": []}
    Plan.objects.using(using).filter(pk=plan.pk, state=Plan.State.APPLYING).update(**state)
    text = f"plan {plan.pk}: it was altered, nothing more of it is done"
    try:
        with transaction.atomic(using=using):
            step_of(plan, "withdrawn", using)
    except (LifecycleError, DatabaseError):
        text += "; of what it is now the ledger takes no event"
    log("plan_altered", text, plan=plan.pk, act=plan.act, model=plan.model, database=using)


def withdraw_stale(number: int, using: str) -> None:
    """Withdraw a plan that was applied too long ago, unless it is over meanwhile, and say so."""
    with transaction.atomic(using=using):
        plans = Plan.objects.using(using).select_for_update()
        found = plans.filter(pk=number, state=Plan.State.APPLYING).first()
        if found is None:
            return
        withdraw(found, using)
    days = CARRIED_OUT_FOR.days
    text = f"plan {number}: withdrawn, for it was applied over {days} days ago"
    named = {"plan": number, "act": found.act, "model": found.model}
    log("plan_stale", text, **named, database=using)


def forget_old(using: str) -> None:
    """Withdraw plans that are too old to be applied, or to be carried out any further; and forget
    the keys of those long over. An error of one is logged and stops no other."""
    now = scalar(using, "SELECT lifecycle.now_v1()")
    plans = Plan.objects.using(using)
    old = plans.filter(state=Plan.State.MADE, made_at__lte=now - LASTS)
    for number in list(old.values_list("pk", flat=True)):
        with _stopping_no_other(number, using), transaction.atomic(using=using):
            if found := old.select_for_update().filter(pk=number).first():
                withdraw(found, using)
    applied = Event.objects.using(using).filter(recorded_at__lte=now - CARRIED_OUT_FOR)
    stale = plans.filter(state=Plan.State.APPLYING, applied__in=applied.values("pk"))
    for number in list(stale.values_list("pk", flat=True)):
        with _stopping_no_other(number, using):
            withdraw_stale(number, using)
    over = Q(state=Plan.State.WITHDRAWN) | Q(state=Plan.State.DONE, done_at__lte=now - SHOWN_FOR)
    PlanPart.objects.using(using).filter(plan__in=plans.filter(over).values("pk")).delete()


@contextmanager
def _stopping_no_other(number: int, using: str) -> Iterator[None]:
    try:
        yield
    except Exception:
        text = f"plan {number}: too old, and withdrawing it has failed"
        log("plan_failed", text, plan=number, database=using)
