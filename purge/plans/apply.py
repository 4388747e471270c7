"""Approving, applying and withdrawing a plan: who says so, and what is checked before.

Applying begins it; `purge.plans.carry_out` does it, in a worker or here. Each is an event.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.many import refuse_to_plan
from lifecycle.logs import Log
from lifecycle.phrases import phrase
from lifecycle.policy.registry import get_policy
from purge.exceptions import PlanAltered
from purge.models import Plan
from purge.plans.carry_out import carry_out
from purge.plans.declared import declared
from purge.plans.make import hash_of, step_of
from purge.plans.refusals import refuse_over, refuse_stopped, refuse_unsaid
from purge.plans.told import person_of
from purge.plans.withdraw import withdraw
from purge.sources.planned import digests

log = Log("purge")


def approve_plan(number: int, actor: str = "", using: str = DEFAULT_DB_ALIAS) -> Plan:
    """Say as a second person that a plan may be applied; whoever made it cannot."""
    with _locked(number, actor, using) as (found, who):
        if found.state != Plan.State.MADE:
            raise LifecycleError(phrase("Plan %(number)s is being applied.", number=number))
        if person_of(who) == person_of(found.maker):
            raise LifecycleError(
                phrase(
                    "%(who)s made plan %(number)s: another person approves it.",
                    who=who,
                    number=number,
                )
            )
        _refuse_altered(found, using)
        found.approved, found.approver = step_of(found, "approved", using), who
        found.save(using=using)
    return found


def withdraw_plan(number: int, actor: str = "", using: str = DEFAULT_DB_ALIAS) -> Plan:
    """Give a plan up; where it is being applied, what is done stays done."""
    with _locked(number, actor, using) as (found, _):
        withdraw(found, using)
    return found


def apply_plan(
    number: int, confirm: int, actor: str = "", now: bool = False, using: str = DEFAULT_DB_ALIAS
) -> Plan:
    """Have a worker carry out a plan, exactly as it was made; with `now` it is done here.

    `confirm` is how many rows the plan has, as a person has typed it. Applied once: again, for a
    plan that is being applied, it only goes on. Raises `LifecycleError`, and begins nothing, for
    another count, without the approval that `LIFECYCLE_TWO_PERSON` asks for, after 7 days, where
    the policy was declared otherwise since, is stopped, or its cap leaves less.
    """
    with _locked(number, actor, using) as (found, who):
        if confirm != found.rows:
            raise LifecycleError(
                phrase(
                    "Plan %(number)s has not %(confirm)s rows: look at it again.",
                    number=number,
                    confirm=confirm,
                )
            )
        if found.state == Plan.State.MADE:
            _begin(found, who, using)
    if now:
        carry_out(found.pk, using)
        found.refresh_from_db(using=using)
    return found


def _begin(plan: Plan, actor: str, using: str) -> None:
    _refuse_altered(plan, using)
    refuse_unsaid(plan, using)
    if plan.until and plan.until <= timezone.now():
        raise LifecycleError(phrase("until has passed."))
    if plan.act == Plan.Act.PURGE:
        policy = get_policy(plan.policy)
        if declared(policy, using) != plan.fingerprint:
            raise LifecycleError(
                phrase(
                    "%(policy)s, or what goes along with its rows, was declared otherwise "
                    "since plan %(number)s was made: make it anew.",
                    policy=plan.policy,
                    number=plan.pk,
                )
            )
        refuse_stopped(plan, policy, using)
    plan.applied, plan.applier = step_of(plan, "applied", using), actor
    plan.state = Plan.State.APPLYING
    plan.save(using=using)
    text = f"plan {plan.pk}: applied, {plan.rows} rows"
    named = {"plan": plan.pk, "act": plan.act, "model": plan.model, "event": plan.applied}
    transaction.on_commit(lambda: log("plan_applied", text, **named, database=using), using)


def _refuse_altered(plan: Plan, using: str) -> None:
    now = digests(plan.pk, using)
    if now != plan.digests or hash_of(plan, now) != plan.hash:
        raise PlanAltered(
            phrase(
                "Plan %(number)s is not what it was when it was made: make it anew.", number=plan.pk
            )
        )


@contextmanager
def _locked(number: int, actor: str, using: str) -> Iterator[tuple[Plan, str]]:
    """The plan, which nobody else changes until the end of the block; and who acts."""
    who = (actor or in_context("actor", using))[:200]
    if not person_of(who):
        raise LifecycleError(phrase("Say who does this (actor)."))
    refuse_to_plan(using)
    with transaction.atomic(using=using), context(who, in_context("cause", using), using):
        found = Plan.objects.using(using).select_for_update().filter(pk=number).first()
        if found is None:
            raise LifecycleError(phrase("There is no plan %(number)s.", number=number))
        refuse_over(found)
        yield found, who
