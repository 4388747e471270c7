"""What cannot be planned, approved or applied, in words by which a person knows what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError, NoPolicy
from lifecycle.ledger.caps import room
from lifecycle.ledger.row_actions import no_policy
from lifecycle.models import Event
from lifecycle.phrases import phrase
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
        raise LifecycleError(
            phrase(
                "%(act)s is nothing that can be planned: %(act2)s.",
                act=repr(act),
                act2=", ".join(Plan.Act),
            )
        )
    if not person_of(actor):
        raise LifecycleError(phrase("A plan wants a name: say who makes it (actor)."))
    if not reason.strip() or max(len(reason), len(reference)) > LONGEST:
        raise LifecycleError(
            phrase("A plan wants a reason, of at most %(longest)s characters.", longest=LONGEST)
        )
    wants, may = act == "extend", act in ("extend", "hold")
    if (until is None and wants) or (until is not None and not may):
        raise LifecycleError(phrase("until is of extend, which wants it, and of hold."))
    if until is not None and until <= timezone.now():
        raise LifecycleError(phrase("until has passed."))
    if until is not None and until >= ENDLESS:
        raise LifecycleError(
            phrase("until is so late that it is no end: leave it out, or restore.")
        )
    if act in BY_POLICY:
        return _policy_of(act, model, policy)
    if policy:
        raise LifecycleError(
            phrase("A hold is on rows, whatever the policy: leave the policy out.")
        )
    return None


def _policy_of(act: str, model: Any, name: str) -> Policy | None:
    chosen = [each for each in policies_of(model) if name in ("", each.name)]
    if not chosen:
        if name:
            get_policy(name)
        raise NoPolicy(no_policy(model, name))
    if len(chosen) > 1:
        if act != "purge":
            return None  # for every policy on the model, as `restore` does
        names = ", ".join(each.name for each in chosen)
        raise LifecycleError(
            phrase(
                "%(model)s has several policies: say which of %(names)s.",
                model=model._meta.label,
                names=names,
            )
        )
    if act == "purge":
        _refuse_to_purge(chosen[0])
    return chosen[0]


def _refuse_to_purge(policy: Policy) -> None:
    if policy.on_request:
        raise LifecycleError(
            phrase("%(policy)s ends rows only on request: use purge.erase().", policy=policy.name)
        )
    if isinstance(policy.disposition, Archive):
        raise LifecycleError(
            phrase(
                "%(policy)s puts rows into an archive before they go: use purge.enqueue().",
                policy=policy.name,
            )
        )


def refuse_over(plan: Plan) -> None:
    """Raise `LifecycleError` where a plan is not waiting any more."""
    if plan.state == Plan.State.DONE:
        raise LifecycleError(
            phrase("Plan %(number)s is done: a plan is applied once.", number=plan.pk)
        )
    if plan.state == Plan.State.WITHDRAWN:
        raise LifecycleError(phrase("Plan %(number)s was withdrawn.", number=plan.pk))
    if plan.state == Plan.State.MADE and plan.made_at + LASTS <= timezone.now():
        raise _too_old(plan)


def _too_old(plan: Plan) -> LifecycleError:
    return LifecycleError(
        phrase(
            "Plan %(number)s is older than %(days)s days: make it anew.",
            number=plan.pk,
            days=LASTS.days,
        )
    )


def refuse_unsaid(plan: Plan, using: str) -> None:
    """Raise `LifecycleError` where the ledger does not say that a plan was made, or says that it is
    over or too old; or, where it has to, that a second person has approved it."""
    made = event_of(plan, plan.made, "made", using)
    if made is None:
        raise LifecycleError(
            phrase(
                "The ledger does not say that plan %(number)s was made: make it anew.",
                number=plan.pk,
            )
        )
    if is_over(made, using):
        raise LifecycleError(
            phrase("The ledger says that plan %(number)s is over: make it anew.", number=plan.pk)
        )
    if made.recorded_at + LASTS <= timezone.now():
        raise _too_old(plan)
    if conf.TWO_PERSON:
        _refuse_unapproved(plan, made, using)


def _refuse_unapproved(plan: Plan, made: Event, using: str) -> None:
    if not approver(plan, made, using):
        about = {
            "number": plan.pk,
            "actor": made.actor,
            "command": f"`manage.py lifecycle plan approve {plan.pk}`",
        }
        if conf.TWO_PERSON in (True, False):
            raise LifecycleError(
                phrase(
                    "Plan %(number)s wants a second person: somebody other than %(actor)s approves "
                    "it (%(command)s).",
                    **about,
                )
            )
        raise LifecycleError(
            phrase(
                "Plan %(number)s wants a second person: somebody other than %(actor)s, by another "
                "role of the database, approves it (%(command)s).",
                **about,
            )
        )


def refuse_stopped(plan: Plan, policy: Policy, using: str) -> None:
    """Raise `LifecycleError` where the policy ends nothing now, or not so many rows."""
    if why := why_stopped(policy, using, any_hour=True):
        raise LifecycleError(
            phrase("%(policy)s is %(why)s: nothing of it ends.", policy=policy.name, why=why)
        )
    left = room(policy, using)
    if plan.rows > left:
        left = room(policy, using, counted=True)
    if plan.rows > left:
        raise LifecycleError(
            phrase(
                "%(rows)s rows are more than the %(left)s that the cap of %(policy)s "
                "leaves in these 24 hours.",
                rows=plan.rows,
                left=left,
                policy=policy.name,
            )
        )
