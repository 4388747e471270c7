"""What there is to say about one row: for its own page, and for the panel on a site's own page."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q

from lifecycle.admin.life_picture import picture
from lifecycle.admin.visibility import mask_blockers
from lifecycle.db.connection import scalar
from lifecycle.db.rows import home
from lifecycle.insight.life import life
from lifecycle.insight.search import entries_about, events_about
from lifecycle.insight.verdict import Verdict
from lifecycle.insight.why import ENDINGS, LARGE, holds_on, how_gone, verdicts, what_next
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.ledger.row_names import ledger_key, row_name
from lifecycle.models import ON_TABLE, AgendaEntry, Event, RowException
from lifecycle.phrases import phrase
from lifecycle.policy.media_fields import file_fields, watched
from lifecycle.policy.registry import policies_of
from lifecycle.sealing.log import is_published

Shown = Callable[[list[str]], list[str]]


def story(
    model: type[Model], key: str, row: Model | None, before: int | None, shown: Shown
) -> dict[str, Any]:
    """What ledger, agenda and row exceptions say about one row, and each policy on its table.

    `shown` makes of the names of rows in its way those that the user may read.
    """
    using = home(model)
    search = events_about(model, key, before, using)
    stored = Event.objects.using(using).filter(pk__in=search.events).defer(*LARGE)
    events = [mask_blockers(event, shown) for event in stored.order_by("-pk")]
    events, entries = _with_detail(events), entries_about(model, key, using)
    held = holds_on(model, key, using)
    found = verdicts(model, key, using, events, held, shown) if row is not None else []
    return {
        "row": row_name(model, key),
        "is_there": row is not None,
        "says": how_gone(events) if row is None else what_next(model, found),
        "gone": [] if row else [e for e in held_deleted(using) if e.event in search.events],
        "is_tracked": bool(policies_of(model)),
        "holds": held if row is not None else [],
        "verdicts": found,
        "life": _picture(model, events, found, using),
        "exceptions": _exceptions(model, key, using),
        "too_long": entries is None,
        "entries": AgendaEntry.objects.using(using).filter(pk__in=entries or []).order_by("due_at"),
        "events": events,
        "reached": search.reached,
        "files": _files(model, row),
        "archives": [event for event in events if event.kind == "archived"],
        "certified": row is None and _is_proven(events, using),
    }


def _picture(model: type[Model], events: list[Event], found: list[Verdict], using: str) -> Any:
    names = [policy.name for policy in policies_of(model)]
    drawn = life(events, found, names, scalar(using, "SELECT lifecycle.now_v1()"))
    return drawn and picture(drawn)


def _exceptions(model: type[Model], key: str, using: str) -> Any:
    """What stands on the row, or on all rows of its table."""
    about = RowException.objects.using(using).select_related("event")
    defer = [f"event__{column}" for column in LARGE]
    stored = ledger_key(model, key, using)
    chosen = about.filter(Q(key=stored) | ON_TABLE, model=model._meta.label_lower)
    return chosen.defer(*defer).order_by("since")


def _files(model: type[Model], row: Model | None) -> list[tuple[str, str]]:
    """The file fields of its table that are watched, and whether the row shows a file in each."""
    concrete = model._meta.concrete_model
    if not any(each.model._meta.concrete_model is concrete for each in watched()):
        return []
    return [(field.name, _file(field.name, row)) for field in file_fields(model)]


def _file(name: str, row: Model | None) -> str:
    if row is None:
        return phrase("gone with the row: deleted when its grace is over and no row shows it")
    return phrase("shows a file") if getattr(row, name) else phrase("empty")


def _is_proven(events: list[Event], using: str) -> bool:
    """Whether its ending is published: only then there is a certificate."""
    ending = next((event for event in events if event.kind in ENDINGS), None)
    return ending is not None and is_published(ending.pk, using)


def _with_detail(events: list[Any]) -> list[Any]:
    """Each event with its detail as a line of text, `detail_text`."""
    for event in events:
        detail = (f"{name}: {value}" for name, value in event.detail.items() if value is not None)
        event.detail_text = ", ".join(detail)
    return events
