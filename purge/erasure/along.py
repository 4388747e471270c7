"""What went along with a row, counted by model."""

from typing import Any

from lifecycle.models import Event


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
