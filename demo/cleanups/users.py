"""Accounts whose address was never verified."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from .ending import Ended
from .part import Part, moment


class UnverifiedUsers(Part):
    """Those of some days; superusers, staff and whoever has logged in are never among them."""

    policy = "unverified-users"
    noun = "unverified user(s)"

    def __init__(self, days: int, override: dict[str, Any]) -> None:
        super().__init__(**override)
        self.age = days

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        yield f"Found {count} {self.noun} older than {self.age} days:"
        if not count:
            yield "No unverified users found to delete."
            return
        yield f"Cutoff date: {moment(self.now - timedelta(days=self.age))}"
        for user in rows:
            age = self.days(user.date_joined)
            yield f"  - {self.name(user)} - registered {age} days ago"

    def after(self, ended: Ended) -> Iterator[str]:
        return super().after(ended) if ended.count else iter(())

    def deleted(self, ended: Ended) -> Iterator[str]:
        yield "Deleting unverified users..."
        yield from (f"  \u2713 Deleted: {self.name(user)}" for user in ended.gone)
        yield f"\u2713 Successfully deleted {ended.done} {self.noun}"

    def name(self, row: Any) -> str:
        return f"{row.username} ({row.email})"
