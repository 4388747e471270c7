"""What the ledger says of a plan: who made, approved and applied it, and whether it is over.

The plan's own row is of a table that the site's role writes: nothing begins by what stands there.
"""

import unicodedata
from datetime import timedelta

from django.db.models import Q

from lifecycle.conf import conf
from lifecycle.db.connection import scalar, statement
from lifecycle.models import Event
from purge.models import Plan

CARRIED_OUT_FOR = timedelta(days=7)  # from when it was applied; what is left then stays
OVER = Q(detail__step="done") | Q(detail__step="withdrawn")


def event_of(plan: Plan, number: int | None, step: str, using: str) -> Event | None:
    """The event of a step of just this plan, under its hash."""
    found = Event.objects.using(using).filter(pk=number or 0, kind="planned").first()
    wanted = {"step": step, "number": plan.pk, "hash": plan.hash}
    return found if found and wanted.items() <= found.detail.items() else None


def begun(plan: Plan, using: str) -> Event | None:
    """The event by which the plan, as it is, was applied; None where it is over, or where nobody
    has approved it although somebody has to."""
    made, applied = (
        event_of(plan, plan.made, "made", using),
        event_of(plan, plan.applied, "applied", using),
    )
    if (
        made is None
        or (applied is not None and applied.pk < made.pk)
        or is_over(made, using)
        or (conf.TWO_PERSON and not approver(plan, made, using))
    ):
        return None
    return applied


def approver(plan: Plan, made: Event, using: str) -> str:
    """Who has approved just this plan since it was made; '' where nobody has, or only who made it.

    With `LIFECYCLE_TWO_PERSON = "roles"` only what another role of the database has said counts: a
    role may say any name.
    """
    approved = event_of(plan, plan.approved, "approved", using)
    if approved is None or approved.pk < made.pk:
        return ""
    if "" in (one := person_of(approved.actor), other := person_of(made.actor)) or one == other:
        return ""
    if conf.TWO_PERSON not in (True, False) and _role_of(approved) == _role_of(made):
        return ""
    return approved.actor


def _role_of(event: Event) -> str:
    """The role of the database that has said it; '' of the owner and of the engine's."""
    return str(event.detail.get("claimed", ""))


def acted_on(plan: Plan, using: str) -> int:
    """Of how many rows the ledger says that the plan has acted on them."""
    params = {"applied": plan.applied, "model": plan.model}
    return int(scalar(using, statement(__file__, "acted_on"), params))


def is_stale(applied: Event, using: str) -> bool:
    """Whether a plan was applied so long ago that no more of it is carried out."""
    return bool(applied.recorded_at + CARRIED_OUT_FOR <= scalar(using, "SELECT lifecycle.now_v1()"))


def is_over(made: Event, using: str) -> bool:
    """Whether a plan, by the event that it was made, was done or withdrawn since."""
    later = Event.objects.using(using).filter(OVER, kind="planned", pk__gt=made.pk)
    return later.filter(detail__number=made.detail["number"]).exists()


def person_of(actor: str) -> str:
    """An actor's name without what does not tell persons apart: case, spaces, what is not seen."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", actor).casefold())
    return "".join(each for each in folded if unicodedata.category(each)[0] not in "CZ")
