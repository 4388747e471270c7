"""A plan in words, and as data: what it would do, what it has done, what it has left out."""

from collections.abc import Callable, Iterator
from typing import Any

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import model_of
from lifecycle.models import Event
from lifecycle.phrases import at, counted, joined, phrase, word
from lifecycle.printable import visible
from purge.models import Plan, PlanPart
from purge.plans.refusals import LASTS
from purge.plans.told import CARRIED_OUT_FOR

SHOWN = 5
LISTED = 20  # rows that were left out, by name, of each reason
#: by act: what is done with so many rows
HEADS: dict[str, Callable[[int, str], str]] = {
    Plan.Act.HOLD: lambda rows, model: counted(
        "hold %(count)s rows of %(model)s", "hold %(count)s rows of %(model)s", rows, model=model
    ),
    Plan.Act.RELEASE: lambda rows, model: counted(
        "release %(count)s rows of %(model)s",
        "release %(count)s rows of %(model)s",
        rows,
        model=model,
    ),
    Plan.Act.RESTORE: lambda rows, model: counted(
        "restore %(count)s rows of %(model)s",
        "restore %(count)s rows of %(model)s",
        rows,
        model=model,
    ),
    Plan.Act.EXTEND: lambda rows, model: counted(
        "extend %(count)s rows of %(model)s",
        "extend %(count)s rows of %(model)s",
        rows,
        model=model,
    ),
    Plan.Act.PURGE: lambda rows, model: counted(
        "purge now %(count)s rows of %(model)s",
        "purge now %(count)s rows of %(model)s",
        rows,
        model=model,
    ),
}
WHY = {
    "changed": phrase("changed since it was planned"),
    "gone": phrase("gone"),
    "along": phrase("going along with them were rows that were written since"),
    "locked": phrase("written by somebody else at that moment"),
    "held": phrase("held"),
    "kept": phrase("kept by `keep_while`"),
    "free": phrase("restored, or not matching `when` any more"),
    "blocked": phrase("kept by rows that refer, or by a constraint"),
    "released": phrase("let go by somebody else before"),
    "slow": phrase("passed over, for it took too long"),
}


def as_text(plan: Plan) -> str:
    """For people, a line for each thing."""
    lines = [f"  {name:<10}{text}" for name, text in as_parts(plan)]
    return "\n".join([f"Plan {plan.pk}: {head_of(plan)}", *lines])


def head_of(plan: Plan) -> str:
    """What is done with how many rows of what."""
    return visible(HEADS[plan.act](plan.rows, _label(plan)))


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
        yield phrase("where"), ", ".join("=".join(each) for each in plan.asked)
    if plan.policy:
        yield phrase("policy"), plan.policy
    yield phrase("reason"), plan.reason + (f" ({plan.reference})" if plan.reference else "")
    if plan.until:
        yield phrase("until"), at(plan.until)
    sample = sample_of(plan)
    yield phrase("rows"), ", ".join(sample) + (", ..." if plan.rows > len(sample) else "")
    if "tried" in shown:
        counts = _counts(shown["would"], by_kind=True)
        yield (
            phrase("would"),
            phrase("%(counts)s, of the first %(tried)s", counts=counts, tried=shown["tried"]),
        )
        yield phrase("with them"), _counts(shown["along"])
    if shown.get("stopped"):
        yield phrase("stopped"), shown["stopped"]
    yield phrase("hash"), plan.hash
    yield phrase("made"), phrase("%(time)s by %(name)s", time=at(plan.made_at), name=plan.maker)
    if plan.approver:
        yield phrase("approved"), phrase("by %(name)s", name=plan.approver)
    yield phrase("state"), _state(plan)
    if plan.left:
        yield (
            phrase("left out"),
            joined(", ", [joined(" ", [n, WHY.get(why, why)]) for why, n in plan.left.items()]),
        )


def _state(plan: Plan) -> str:
    if plan.state == Plan.State.DONE and plan.done_at:
        return counted(
            "done %(time)s: %(acted)s of %(rows)s rows",
            "done %(time)s: %(acted)s of %(rows)s rows",
            plan.rows,
            time=at(plan.done_at),
            acted=plan.acted,
            rows=plan.rows,
        )
    if plan.state == Plan.State.APPLYING:
        return _applied(plan)
    if plan.state == Plan.State.WITHDRAWN:
        return phrase("withdrawn")
    if conf.TWO_PERSON and not plan.approver:
        return phrase(
            "waits for a second person: `manage.py lifecycle plan approve %(number)s`",
            number=plan.pk,
        )
    return phrase(
        "waits until %(time)s: `manage.py lifecycle apply %(number)s`",
        time=at(plan.made_at + LASTS),
        number=plan.pk,
    )


def _applied(plan: Plan) -> str:
    """By whom, from when to when a plan is carried out."""
    events = Event.objects.using(str(plan._state.db))
    applied = events.filter(pk=plan.applied or 0).values_list("recorded_at", flat=True).first()
    if applied is None:
        return phrase("being applied, by %(name)s", name=plan.applier)
    return phrase(
        "being applied, by %(name)s, since %(since)s, until %(until)s at the latest",
        name=plan.applier,
        since=at(applied),
        until=at(applied + CARRIED_OUT_FOR),
    )


def _counts(counts: dict[str, int], by_kind: bool = False) -> str:
    """So many of each, by the kind of what would happen or by model."""
    said = [joined(" ", [n, word(name) if by_kind else name]) for name, n in counts.items()]
    return joined(", ", said) if said else phrase("nothing")
