"""What is to be told, written in the transaction in which rows go."""

from typing import Any

from lifecycle.db.connection import fetch, statement
from purge.outbox.subscribers import subscribers


def is_asked() -> bool:
    """Whether anybody wants to be told of anything."""
    return bool(subscribers())


def note(using: str, run: int | None, before: int) -> None:
    """Write down what the run has purged after an event, for each that wants to be told."""
    if not is_asked():
        return
    names = {each.name: each.label for each in subscribers()}
    told: dict[str, Any] = {"names": list(names), "models": list(names.values())}
    params = told | {"before": before, "run": run}
    fetch(using, statement(__file__, "note"), params)
