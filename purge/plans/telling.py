"""A plan in words, and as data: what it would do, what it has done, what it has left out."""

from collections.abc import Iterator
from typing import Any

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import model_of
from lifecycle.models import Event
from lifecycle.printable import in_utc, visible
from purge.models import Plan, PlanPart
from purge.plans.refusals import LASTS
from purge.plans.told import CARRIED_OUT_FOR

SHOWN = 5
LISTED = 20  # rows that were left out, by name, of each reason
WHY = {
    "changed": "changed since it was planned",
    "gone": "gone",
    "along": "going along with them were rows that were written since",
    "locked": "written by somebody else at that moment",
    "held": "held",
    "kept": "kept by `keep_while`",
    "free": "restored, or not matching `when` any more",
    "blocked": "kept by rows that refer, or by a constraint",
    "released": "let go by somebody else before",
    "slow": "passed over, for it took too long",
}


def as_text(plan: Plan) -> str:
    """For people, a line for each thing."""
    lines = [f"  {name:<10}{text}" for name, text in as_parts(plan)]
    return "\n".join([f"Plan {plan.pk}: {head_of(plan)}", *lines])


def head_of(plan: Plan) -> str:
    """What is done with how many rows of what."""
    return visible(f"{Plan.Act(plan.act).label} {plan.rows} rows of {_label(plan)}")


def as_parts(plan: Plan) -> list[tuple[str, str]]:
    """What else there is to say of it: of what, and the text."""
    return [(name, visible(text)) for name, text in _lines(plan)]


def as_data(plan: Plan) -> dict[str, Any]:
    """For programs."""
    return {
        "number": plan.pk, "act": plan.act, "model": _label(plan), "policy": plan.policy,
        "rows": plan.rows, "state": plan.state, "where": ["=".join(each) for each in plan.asked],
        "reason": plan.reason, "reference": plan.reference, "until": plan.until,
        "hash": plan.hash, "maker": plan.maker, "made_at": plan.made_at,
        "approver": plan.approver, "applier": plan.applier, "done_at": plan.done_at,
        "acted": plan.acted, "left": plan.left,
        "shown": plan.shown | {"sample": sample_of(plan)},
    }  # fmt: skip


def left_out(plan: Plan, using: str) -> dict[str, list[str]]:
    """Rows that were left out so far, by reason; some of them by name."""
    label, found = _label(plan), dict[str, list[str]]()
    for left in PlanPart.objects.using(using).filter(plan=plan).values_list("left", flat=True):
        for reason, keys in left.items():
            names = found.setdefault(reason, [])
            names += [f"{label}:{key}" for key in keys[: LISTED - len(names)]]
    return found


def sample_of(plan: Plan) -> list[str]:
    """The first rows by name: of the parts that the hash is of, not of what is noted beside."""
    parts = PlanPart.objects.using(plan._state.db or "default").filter(plan=plan).exclude(keys=[])
    keys = parts.order_by("number").values_list("keys", flat=True).first() or []
    return [f"{_label(plan)}:{key}" for key in keys[:SHOWN]]


def _label(plan: Plan) -> str:
    try:
        return str(model_of(plan.model)._meta.label)
    except LifecycleError:  # it is not in the code any more
        return plan.model


def _lines(plan: Plan) -> Iterator[tuple[str, str]]:
    shown = plan.shown
    if plan.asked:
        yield "where", ", ".join("=".join(each) for each in plan.asked)
    if plan.policy:
        yield "policy", plan.policy
    yield "reason", plan.reason + (f" ({plan.reference})" if plan.reference else "")
    if plan.until:
        yield "until", in_utc(plan.until)
    sample = sample_of(plan)
    yield "rows", ", ".join(sample) + (", ..." if plan.rows > len(sample) else "")
    if "tried" in shown:
        yield "would", _counts(shown["would"]) + f", of the first {shown['tried']}"
        yield "with them", _counts(shown["along"])
    if shown.get("stopped"):
        yield "stopped", shown["stopped"]
    yield "hash", plan.hash
    yield "made", f"{in_utc(plan.made_at)} by {plan.maker}"
    if plan.approver:
        yield "approved", f"by {plan.approver}"
    yield "state", _state(plan)
    if plan.left:
        yield "left out", ", ".join(f"{n} {WHY.get(why, why)}" for why, n in plan.left.items())


def _state(plan: Plan) -> str:
    if plan.state == Plan.State.DONE and plan.done_at:
        return f"done {in_utc(plan.done_at)}: {plan.acted} of {plan.rows} rows"
    if plan.state == Plan.State.APPLYING:
        return f"being applied, by {plan.applier}{_since(plan)}"
    if plan.state == Plan.State.WITHDRAWN:
        return "withdrawn"
    then = f"until {in_utc(plan.made_at + LASTS)}: `manage.py lifecycle apply {plan.pk}`"
    if conf.TWO_PERSON and not plan.approver:
        return f"waits for a second person: `manage.py lifecycle plan approve {plan.pk}`"
    return f"waits {then}"


def _since(plan: Plan) -> str:
    """From when to when a plan is carried out."""
    events = Event.objects.using(str(plan._state.db))
    applied = events.filter(pk=plan.applied or 0).values_list("recorded_at", flat=True).first()
    if applied is None:
        return ""
    return f", since {in_utc(applied)}, until {in_utc(applied + CARRIED_OUT_FOR)} at the latest"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"
