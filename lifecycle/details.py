"""What the fields of `Event.detail` are; only a superuser or the owner can write others."""

from datetime import datetime
from typing import Any

# Fields of `Event.detail` that are lists, and numbers by name; all others are one value.
LISTS = {
    "holds": int,
    "held": int,
    "gathered": int,
    "moved": int,
    **dict.fromkeys(
        ("names", "media", "by", "without", "windows", "asked", "columns", "lost"), str
    ),
}
COUNTS = ("cascade", "unlinked")


def readable(detail: Any) -> dict[str, Any]:
    """The fields that are what a field of their name is: of a forged event, perhaps none."""
    fields = detail.items() if isinstance(detail, dict) else ()
    return {name: value for name, value in fields if _is_well(name, value)}


def _is_well(name: str, value: Any) -> bool:
    if name in LISTS:
        return isinstance(value, list) and all(type(each) is LISTS[name] for each in value)
    if name in COUNTS:
        return isinstance(value, dict) and all(type(each) is int for each in value.values())
    return not isinstance(value, list | dict)


def instant(value: Any) -> datetime | None:
    """A time of a detail, ISO 8601 with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
