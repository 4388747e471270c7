"""Why a row cannot be erased, in words by which a person knows what to do."""

from datetime import datetime, timedelta

from django.db.models import Model, Q

from lifecycle.compiler.keys import label_of_model
from lifecycle.exceptions import ConditionNotMet, LifecycleError
from lifecycle.ledger.row_names import row_name
from lifecycle.models import ON_TABLE, Event, RowException
from lifecycle.phrases import counted, phrase
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy, policies_of
from purge.batch import failures
from purge.exceptions import ArchivedBelow, ErasureRefused
from purge.passes.override import NONE

LONGEST_REFERENCE = 200  # characters
HELD = "23001"  # restrict_violation, which the DELETE trigger raises for a held row


def policy_for(model: type[Model], name: str | None) -> Policy:
    """The one policy of the model that ends rows on request."""
    if name is not None:
        get_policy(name)
    label = model._meta.label
    chosen = [p for p in policies_of(model) if p.on_request and name in (None, p.name)]
    if not chosen:
        raise LifecycleError(_none_on_request(label, name))
    if len(chosen) > 1:
        names = ", ".join(policy.name for policy in chosen)
        raise LifecycleError(
            phrase(
                "%(model)s has several policies for requests: say which of %(names)s.",
                model=label,
                names=names,
            )
        )
    return chosen[0]


def _none_on_request(label: str, name: str | None) -> str:
    if not name:
        return phrase("%(model)s has no policy with on_request=True.", model=label)
    return phrase(
        "%(model)s has no policy called %(name)s with on_request=True.",
        model=label,
        name=repr(name),
    )


def check_asked(reference: str, actor: str) -> None:
    """Refuse a request without a reference, or by nobody."""
    if not isinstance(reference, str) or not 0 < len(reference.strip()) <= LONGEST_REFERENCE:
        raise LifecycleError(
            phrase(
                "An erasure wants a reference of at most %(characters)s characters.",
                characters=LONGEST_REFERENCE,
            )
        )
    if not actor:
        raise LifecycleError(phrase("An erasure wants a name: say who asks for it (actor)."))


def check(policy: Policy, reference: str, grace: timedelta | None, actor: str) -> None:
    """Refuse a request that lacks something, or asks for more time than the policy gives."""
    check_asked(reference, actor)
    if grace is not None and (not isinstance(grace, timedelta) or grace < NONE):
        raise LifecycleError(
            phrase(
                "The grace must be a timedelta of zero or more, not %(grace)s.", grace=repr(grace)
            )
        )
    own = policy.grace
    if grace is not None and isinstance(own, timedelta) and grace > own:
        raise LifecycleError(
            phrase(
                "A grace of %(grace)s is longer than %(own)s, that of %(policy)s: an "
                "erasure can only end a row sooner.",
                grace=grace,
                own=own,
                policy=policy.name,
            )
        )
    if grace is None and isinstance(policy.disposition, Update) and not isinstance(own, timedelta):
        raise LifecycleError(
            phrase(
                "The grace of %(policy)s is an expression: say which one (grace).",
                policy=policy.name,
            )
        )


def refuse_second(policy: Policy, key: str, grace: timedelta | None, using: str) -> None:
    """Refuse a second grace: it would begin anew, and so end the row later."""
    known = RowException.objects.using(using).filter(policy=policy.name, key=key)
    earlier = known.filter(kind="expired_by_hand").order_by("event_id").first()
    own = policy.grace if grace is None else grace
    if earlier and own != NONE:
        raise ErasureRefused(
            phrase(
                "%(row)s was expired by hand already (event %(event_id)s) and ends "
                "after its grace. A grace of zero ends it now.",
                row=row_name(policy.model, key),
                event_id=earlier.event_id,
            )
        )


def cannot_go(row: str, error: Exception) -> str:
    """That a row has to stay, and why."""
    return phrase("%(row)s cannot go: %(why)s.", row=row, why=why(error))


def stopped(policy: Policy, why: str) -> str:
    """That a brake or a person stops it; '' where that has changed while it was asked."""
    why = why or phrase("being paused or held")
    return phrase("%(policy)s is %(why)s: nothing ends.", policy=policy.name, why=why)


def refuse_what_stays(policy: Policy, key: str, verdict: str) -> None:
    """Refuse a row that would not end, by the name of the verdict about it."""
    name = row_name(policy.model, key)
    if verdict == "held":
        raise ErasureRefused(phrase("%(row)s is held.", row=name))
    if verdict == "kept":
        raise ErasureRefused(phrase("%(row)s is kept by `keep_while` of its policy.", row=name))
    if verdict == "locked":
        raise ErasureRefused(
            phrase("%(row)s: somebody else is writing rows of its group; try again.", row=name)
        )
    if verdict == "free":
        raise ConditionNotMet(
            phrase(
                "%(row)s does not match `when` of %(policy)s.", row=name, policy=repr(policy.name)
            )
        )


def refuse_held(using: str, model: type[Model], keys: list[str], now: datetime | None) -> None:
    """Raise `ErasureRefused` with the holds on rows of a model, or on a policy of its table."""
    found = RowException.objects.using(using).filter(kind="hold")
    if now is not None:
        found = found.filter(Q(until=None) | Q(until__gt=now))
    label = label_of_model(model)
    names = [policy.name for policy in policies_of(model)]
    held = Q(model=label) & (Q(key__in=keys) | ON_TABLE) | Q(policy__in=names) & ON_TABLE
    numbers = found.filter(held).values_list("event_id")
    events = Event.objects.using(using).filter(pk__in=numbers).order_by("id")
    if events:
        raise ErasureRefused(
            phrase(
                "Held by %(events)s. Nothing was changed.", events="; ".join(map(_hold, events[:5]))
            )
        )


def _hold(event: Event) -> str:
    """A hold with its number, what it is on, its reference and its reason."""
    many = phrase("%(count)s rows of %(model)s", count=event.count, model=event.model)
    of = event.policy or (many if event.count > 1 else f"{event.model}:{event.subjects[0]}")
    words = [f"{name} {event.detail[name]}" for name in ("reference", "reason")
            if event.detail.get(name)]  # fmt: skip
    return phrase("hold %(event)s on %(of)s", event=event.pk, of=of) + (
        f" ({', '.join(words)})" if words else ""
    )


def why(error: Exception) -> str:
    """What stands in the way, in names: rows that refer, a constraint, a kind of error."""
    found = failures.reason(error)
    if failures.is_contended(error):
        return phrase("somebody else is writing rows that go along; try again")
    if found.get("sqlstate") == HELD and "constraint" not in found:
        return phrase("a row that goes along by a cascade of the database is held")
    if by := found.get("by"):
        if isinstance(error, ArchivedBelow):
            return phrase("%(by)s would go along, and a policy archives it first", by=", ".join(by))
        return counted(
            "%(rows)s refers to it (%(error)s)",
            "%(rows)s refer to it (%(error)s)",
            len(by),
            rows=", ".join(by),
            error=found["error"],
        )
    named = [str(found[name]) for name in ("constraint", "table") if name in found]
    return " on ".join(named) + f" ({found['error']})" if named else str(found["error"])
