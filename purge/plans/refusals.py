"""What cannot be planned, approved or applied, in words by which a person knows what to do."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError, NoPolicy
from lifecycle.ledger.caps import room
from lifecycle.models import Event
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy, policies_of
from purge.batch.brakes import why_stopped
from purge.models import Plan

LASTS = timedelta(days=7)  # a plan that is older is made anew
LONGEST = 500  # characters of a reason, or of a reference
MOST_EXCEPTIONS = 100_000  # rows that one plan may hold, restore or extend
BY_POLICY = ("restore", "extend", "purge")


def refuse_what_cannot_be(
    act: str, model: Any, policy: str, reason: str, reference: str, until: datetime | None,
    actor: str,
) -> Policy | None:  # fmt: skip
    """Raise `LifecycleError` for what cannot be planned; the policy that the act is by."""
    if act not in Plan.Act.values:
        raise LifecycleError(f"{act!r} is nothing that can be planned: {', '.join(Plan.Act)}.")
    if not actor:
        raise LifecycleError("A plan wants a name: say who makes it (actor).")
    if not reason.strip() or max(len(reason), len(reference)) > LONGEST:
        raise LifecycleError(f"A plan wants a reason, of at most {LONGEST} characters.")
    wants, may = act == "extend", act in ("extend", "hold")
    if (until is None and wants) or (until is not None and not may):
        raise LifecycleError("until is of extend, which wants it, and of hold.")
    if until is not None and until <= timezone.now():
        raise LifecycleError("until has passed.")
    if act in BY_POLICY:
        return _policy_of(act, model, policy)
    if policy:
        raise LifecycleError("A hold is on rows, whatever the policy: leave the policy out.")
    return None


def _policy_of(act: str, model: Any, name: str) -> Policy | None:
    chosen = [each for each in policies_of(model) if name in ("", each.name)]
    if not chosen:
        if name:
            get_policy(name)
        raise NoPolicy(f"{model._meta.label} has no policy{f' {name!r}' if name else ''}.")
    if len(chosen) > 1:
        if act != "purge":
            return None  # for every policy on the model, as `restore` does
        names = ", ".join(each.name for each in chosen)
        raise LifecycleError(f"{model._meta.label} has several policies: say which of {names}.")
    if act == "purge":
        _refuse_to_purge(chosen[0])
    return chosen[0]


def _refuse_to_purge(policy: Policy) -> None:
    if policy.on_request:
        raise LifecycleError(f"{policy.name} ends rows only on request: use purge.erase().")
    if isinstance(policy.disposition, Archive):
        raise LifecycleError(
            f"{policy.name} puts rows into an archive before they go: use purge.enqueue()."
        )


def refuse_over(plan: Plan) -> None:
    """Raise `LifecycleError` where a plan is not waiting any more."""
    if plan.state == Plan.State.DONE:
        raise LifecycleError(f"Plan {plan.pk} is done: a plan is applied once.")
    if plan.state == Plan.State.WITHDRAWN:
        raise LifecycleError(f"Plan {plan.pk} was withdrawn.")
    if plan.state == Plan.State.MADE and plan.made_at + LASTS <= timezone.now():
        raise LifecycleError(f"Plan {plan.pk} is older than {LASTS.days} days: make it anew.")


def refuse_unapproved(plan: Plan, using: str) -> None:
    """Raise `LifecycleError` where the ledger does not say that a second person has approved it,
    or says that it is over."""
    if is_over(plan, using):
        raise LifecycleError(f"Plan {plan.pk} is done or was withdrawn, the ledger says.")
    made = _event(plan, plan.made, "made", using)
    if made is None:
        raise LifecycleError(f"The ledger does not say that plan {plan.pk} was made: make it anew.")
    if not conf.TWO_PERSON:
        return
    approved = _event(plan, plan.approved, "approved", using)
    if approved is None or not approved.actor or approved.actor == made.actor:
        raise LifecycleError(
            f"Plan {plan.pk} wants a second person: somebody other than {made.actor} approves it"
            f" (manage.py lifecycle plan approve {plan.pk})."
        )


def _event(plan: Plan, number: int | None, step: str, using: str) -> Event | None:
    """The event of a step of just this plan, under its hash."""
    found = Event.objects.using(using).filter(pk=number or 0, kind="planned").first()
    wanted = {"step": step, "number": plan.pk, "hash": plan.hash}
    return found if found and wanted.items() <= found.detail.items() else None


def is_begun(plan: Plan, using: str) -> bool:
    """Whether the ledger says that the plan, as it is, was applied."""
    return _event(plan, plan.applied, "applied", using) is not None


def is_over(plan: Plan, using: str) -> bool:
    """Whether the ledger says that the plan was withdrawn or is done, whatever its row says."""
    said = {"number": plan.pk, "hash": plan.hash}
    steps = Event.objects.using(using).filter(kind="planned", detail__contains=said)
    return steps.filter(detail__step__in=("withdrawn", "done")).exists()


def refuse_stopped(plan: Plan, policy: Policy, using: str) -> None:
    """Raise `LifecycleError` where the policy ends nothing now, or not so many rows."""
    if why := why_stopped(policy, using, any_hour=True):
        raise LifecycleError(f"{policy.name} is {why}: nothing of it ends.")
    left = room(policy, using)
    if plan.rows > left:
        left = room(policy, using, counted=True)
    if plan.rows > left:
        raise LifecycleError(
            f"{plan.rows} rows are more than the {left} that the cap of {policy.name} leaves in"
            " these 24 hours."
        )
