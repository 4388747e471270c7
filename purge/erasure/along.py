"""How a row came to its end, and what went along with it, counted by model."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model

from lifecycle.db.connection import fetch, statement
from lifecycle.ledger.segments import pieces_of
from lifecycle.models import Event


class EndEvent(NamedTuple):
    """The event by which a row has ended, maybe with others; `detail` is JSON."""

    id: int
    kind: str
    at: datetime
    rows: int
    detail: str


def end_after(erasure: int, model: type[Model], key: str, using: str) -> EndEvent | None:
    """The first event after an erasure that ended the row, in whatever batch."""
    pieces = [piece for piece in pieces_of(model, key, using) if piece[1] > erasure]
    params: dict[str, Any] = {"model": model._meta.label_lower, "key": key}
    params |= {"event": erasure, "lows": [low for low, _ in pieces]}
    params["highs"] = [high for _, high in pieces]
    rows = fetch(using, statement(__file__, "ended_after"), params)
    return EndEvent(*rows[0]) if rows else None


def waits_for(last: Event) -> str:
    """Why a row that is to end has not, by its last event; empty where nothing keeps it."""
    if last.detail.get("relisted") == "held":
        return "a hold"
    if last.kind == "kept":
        return "`keep_while`"
    if last.kind == "blocked":
        return ", ".join(last.detail.get("by", [])) or str(last.detail.get("error", ""))
    return ""


def cascade(events: list[Event], detail: dict[str, Any]) -> dict[str, int]:
    """What Django knew of, and what only the tables' own triggers saw go."""
    counts: dict[str, int] = dict(detail.get("cascade", {}))
    seen: dict[str, int] = {}
    for event in events:
        if event.kind == "purged" and event.cause == "cascade":
            seen[event.model] = seen.get(event.model, 0) + event.count
    return {name: max(counts.get(name, 0), seen.get(name, 0)) for name in sorted(counts | seen)}


def counts(counts: dict[str, int]) -> str:
    """Rows by model, in words."""
    return ", ".join(f"{count} {model}" for model, count in counts.items())
