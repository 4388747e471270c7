"""What a command does by one policy: which rows it finds, and the lines that it says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet

from demo import facts
from lifecycle.policy.registry import get_policy
from purge.overrides.options import override_of

from .ending import Ended


class Part:
    """One policy's share of a command. `noun` is what its rows are called, with their number.

    Subclasses say their own lines; these are those of most.
    """

    policy: ClassVar[str]
    noun: ClassVar[str]
    lists: ClassVar[bool] = True  # whether each row is shown; else they are only counted

    def __init__(self, **override: Any) -> None:
        #: what the options say otherwise than the policy; {} is the policy as it is
        self.override = override
        self.now = facts.clock()

    def due_rows(self) -> QuerySet[Any]:
        """The rows past their end, the oldest first, whatever holds or keeps them."""
        policy = get_policy(self.policy)
        within = timedelta(0)
        if self.override:
            requested = override_of(policy, "", self.override)
            policy, within = requested.applied(policy), requested.within
        rows = policy.model._base_manager.filter(policy.when).alias(ends=policy.expires)
        return rows.filter(ends__lte=self.now + within).order_by("ends", "pk")

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        """What is due; `rows` is empty where they are only counted."""
        yield f"Found {count} {self.noun}"
        yield from (f"  - {self.line(row)}" for row in rows)

    def after(self, ended: Ended) -> Iterator[str]:
        """What was done, or would be."""
        yield from self.kept(ended)
        if ended.mode.dry_run:
            yield from self.would(ended)
            return
        if ended.mode.purge_now or ended.done or not get_policy(self.policy).grace:
            yield from self.deleted(ended)
        if ended.tombstoned:
            yield f"Tombstoned {ended.tombstoned} {self.noun}, purge due {moment(ended.due)}"

    def deleted(self, ended: Ended) -> Iterator[str]:
        """Rows are gone."""
        yield f"Deleted {ended.done} {self.noun}"

    def would(self, ended: Ended) -> Iterator[str]:
        """In a dry run: what the engine did and took back."""
        done = ended.outcome
        verbs = {"delete": done.purged, "update": done.updated, "tombstone": done.tombstoned}
        verbs_done = [f"{verb} {count}" for verb, count in verbs.items() if count]
        yield f"Would {' and '.join(verbs_done) or 'delete 0'} {self.noun}"
        if ended.listed and not ended.mode.purge_now:
            yield f"Tombstoned before: {ended.listed}, purge due {moment(ended.due)}"

    def kept(self, ended: Ended) -> Iterator[str]:
        """Rows that were found and stay, and why."""
        left = ended.count - ended.done - ended.tombstoned
        if not self.lists and left > 0 and not ended.mode.dry_run:
            yield f"Kept {left} {self.noun}: held, restored, or locked by somebody else"
        for row, why in ended.stays.items():
            reason = why or self.why(row)
            if reason or not ended.mode.dry_run:
                yield f"  - Kept: {self.name(row)}: {reason or 'cannot go now, tried again later'}"

    def line(self, row: Any) -> str:
        """A row in the list of what was found."""
        return self.name(row)

    def name(self, row: Any) -> str:
        """What a person calls the row."""
        return str(row)

    def why(self, row: Any) -> str:
        """What keeps a row, where no person does."""
        return ""

    def days(self, since: Any) -> int:
        """Whole days since a moment."""
        return (self.now - since).days


def moment(time: datetime | None) -> str:
    """A time as every command writes it."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if time else "unknown"
