"""Drafts of services that were begun and forgotten."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from .ages import hours
from .part import Part

KEEPS = ("media", "sessions")  # what may keep a draft, as its policy names it


class DraftServices(Part):
    """Drafts older than some hours, with what is in them, and what keeps them."""

    policy = "draft-services"
    noun = "draft service(s)"

    def due_rows(self) -> QuerySet[Any]:
        counts = {name: Count(name, distinct=True) for name in KEEPS}
        rows = super().due_rows().select_related("owner")
        return rows.annotate(**{f"{name}_count": count for name, count in counts.items()})

    def __init__(self, age: int, keep: list[str]) -> None:
        override = hours.override(age, settings.DEMO_DRAFT_HOURS)
        if set(keep) != set(KEEPS):
            override["keep"] = keep
        super().__init__(**override)
        self.age, self.keep = age, keep

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        yield f"Found {count} {self.noun} older than {self.age} hours"
        yield from (f"  - {self.line(row)}" for row in rows)

    def line(self, row: Any) -> str:
        age = int((self.now - row.created_at).total_seconds() // 3600)
        return f"{self.name(row)} by {row.owner}, {age} hours old, {self.inside(row)}"

    def name(self, row: Any) -> str:
        return str(row.title)

    def inside(self, row: Any) -> str:
        """How much would go along."""
        return f"{row.media_count} media, {row.sessions_count} session(s)"

    def why(self, row: Any) -> str:
        counts = {"media": row.media_count, "sessions": row.sessions_count}
        kept = [f"has {name}" for name in self.keep if counts[name]]
        return " and ".join(kept)
