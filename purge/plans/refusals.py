"""What cannot be planned, approved or applied, in words by which a person knows what to do."""

from datetime import UTC, datetime, timedelta
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
from purge.plans.told import approver, event_of, is_over, person_of

LASTS = timedelta(days=7)  # a plan that is older is made anew
SHOWN_FOR = timedelta(days=90)  # which rows a plan has left out
ENDLESS = datetime(9999, 1, 1, tzinfo=UTC)  # from then on a time never comes: `finite_v1`
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
    if not person_of(actor):
        raise LifecycleError("A plan wants a name: say who makes it (actor).")
    if not reason.strip() or max(len(reason), len(reference)) > LONGEST:
        raise LifecycleError(f"A plan wants a reason, of at most {LONGEST} characters.")
    wants, may = act == "extend", act in ("extend", "hold")
    if (until is None and wants) or (until is not None and not may):
        raise LifecycleError("until is of extend, which wants it, and of hold.")
    if until is not None and until <= timezone.now():
        raise LifecycleError("until has passed.")
    if until is not None and until >= ENDLESS:
        raise LifecycleError("until is so late that it is no end: leave it out, or restore.")
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


def refuse_unsaid(plan: Plan, using: str) -> None:
    """Raise `LifecycleError` where the ledger does not say that a plan was made, or says that it is
    over or too old; or, where it has to, that a second person has approved it."""
    made = event_of(plan, plan.made, "made", using)
    if made is None:
        raise LifecycleError(f"The ledger does not say that plan {plan.pk} was made: make it anew.")
    if is_over(made, using):
        raise LifecycleError(f"The ledger says that plan {plan.pk} is over: make it anew.")
    if made.recorded_at + LASTS <= timezone.now():
        raise LifecycleError(f"Plan {plan.pk} is older than {LASTS.days} days: make it anew.")
    if conf.TWO_PERSON:
        _refuse_unapproved(plan, made, using)


def _refuse_unapproved(plan: Plan, made: Event, using: str) -> None:
    if not approver(plan, made, using):
        by = ", by another role of the database," if conf.TWO_PERSON not in (True, False) else ""
        raise LifecycleError(
            f"Plan {plan.pk} wants a second person: somebody other than {made.actor}{by} approves"
            f" it (`manage.py lifecycle plan approve {plan.pk}`)."
        )


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
