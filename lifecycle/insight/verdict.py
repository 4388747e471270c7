"""What one policy means for one row now, and when something happens next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, transaction

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed, windows_of
from lifecycle.db.connection import Placed, Raw, fetch, scalar, statement
from lifecycle.db.rows import every_row
from lifecycle.db.tables import table_of
from lifecycle.db.version import to_install
from lifecycle.insight import partitions
from lifecycle.insight.notices import ahead, past
from lifecycle.ledger.holds import Hold
from lifecycle.ledger.row_names import ledger_key, named, rows_of_key
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from lifecycle.phrases import at, joined, phrase, word
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import opens_at
from lifecycle.policy.stages import stages_of

LISTED = {"restored", "expired_by_hand"}  # what puts a row on the agenda by its key
SHOWN = 5  # rows that stand in the way


@dataclass(frozen=True)
class Verdict:
    """What one policy means for a row: `says` in words, and `at`, when something happens next.

    `stages` says which of several ends of the row it is.
    """

    policy: str
    state: str
    says: str
    at: datetime | None = None
    stages: str = ""


def _is_left(policy: Policy) -> bool:
    """Whether `when` also asks for what the policy itself sets."""
    return stages_of(policy) is not None and not policy.disposition.hides


class Look:
    """One policy and one row."""

    def __init__(
        self, policy: Policy, key: str, using: str, entries: set[int], held: list[Hold],
        events: list[Event], shown: Callable[[list[str]], list[str]],
    ) -> None:  # fmt: skip
        self.policy, self.key, self.using, self.shown = policy, key, using, shown
        self.held, self.events = held, [e for e in events if e.policy == policy.name]
        self.state = PolicyState.objects.using(using).filter(name=policy.name).first()
        agenda = AgendaEntry.objects.using(using).filter(pk__in=entries, policy=policy.name)
        self.entries = list(agenda.order_by("due_at"))
        stored = ledger_key(policy.model, key, using)
        about = RowException.objects.using(using).filter(policy=policy.name, key=stored)
        self.exceptions = {each.kind: each for each in about.exclude(kind="hold")}

    def verdict(self) -> Verdict:
        """In the order in which the worker asks."""
        if self.state is None:
            return Verdict(
                self.policy.name,
                "",
                phrase("is not in the database: %(command)s", command=to_install(self.using)),
            )
        try:
            with transaction.atomic(using=self.using):
                read = self._read()
                self.matches, self.due, self.keep, self.grace, self.now, self.leads = read
        except DataError:
            return self._verdict(phrase("its due time cannot be computed for this row"))
        if is_windowed(self.policy) and self.due and not self.exceptions.keys() & LISTED:
            self.entries += self._of_window()
        if is_partitioned(self.policy):
            self.entries = partitions.entries_of(self.policy, self.key, self.using)
        says, at = self._says()
        return self._verdict(says, at)

    def _of_window(self) -> list[AgendaEntry]:
        """The agenda entries of the window in which the row ends."""
        params = {"due": self.due, "unit": windows_of(self.policy).unit}
        at = scalar(self.using, "SELECT lifecycle.window_v1(%(due)s, %(unit)s)", params)
        listed = AgendaEntry.objects.using(self.using).filter(policy=self.policy.name)
        return list(listed.filter(window_at=at).order_by("due_at"))

    def _verdict(self, says: str, at: datetime | None = None) -> Verdict:
        state: Any = self.state
        if state.state != PolicyState.State.ENABLED:
            return Verdict(
                self.policy.name,
                state.state,
                phrase("%(says)s; but it is %(state)s", says=says, state=word(state.state)),
            )
        if state.fingerprint != fingerprint(self.policy):
            return Verdict(
                self.policy.name,
                state.state,
                phrase("%(says)s; but it is declared otherwise", says=says),
            )
        opens = opens_at(self.policy, self.now) if at else None
        return Verdict(self.policy.name, state.state, says, max(at, opens) if at and opens else at)

    def _read(self) -> tuple[Any, ...]:
        code = compiled(self.policy)
        parts = {
            "state_sql": Raw(code.state_sql),
            "key": Placed(code.key.typed("%(key)s")),
            "keep": Raw("keep"),
            "notice": Raw("notice" if self.policy.notice else "NULL::float8[]"),
        }
        params = {"key": self.key, "resolution": self.policy.resolution}
        by_hand = self.exceptions.get("expired_by_hand")
        if by_hand and self.policy.conditions and "without" in by_hand.event.detail:
            parts["keep"] = Placed("NOT keeps <@ %(without)s::text[]")
            params["without"] = by_hand.event.detail["without"]
        return fetch(self.using, statement(__file__, "row_state", **parts), params)[0]

    def _says(self) -> tuple[str, datetime | None]:
        ends = self._ends()
        spared = self.exceptions.get("restored")
        if not self.matches:
            if _is_left(self.policy):
                return phrase("does not match `when`, or is as this stage leaves it"), None
            return phrase("does not match `when`"), None
        if ends is None:
            return phrase("has no end"), None
        if spared and (spared.until is None or spared.until > self.now):
            return phrase("is restored"), spared.until
        if ends > self.now:
            return self._live(ends)
        if self.held:
            numbers = ", ".join(str(each.number) for each in self.held)
            return phrase("is past its end, and held (hold %(numbers)s)", numbers=numbers), None
        return self._past()

    def _live(self, ends: datetime) -> tuple[str, datetime]:
        """What happens to a row that is not past its end."""
        windows = [each.due_at for each in self.entries if each.window_at]
        if is_partitioned(self.policy) and not windows:
            due = partitions.due_of(self.policy, self.key, self.using)
            windows = [due] if due else []
        if not windows:
            told, last = ahead(*self._mails())
            live = phrase("is live until %(end)s", end=at(ends))
            return joined("", [live, told]) if told else live, last
        end, then = at(ends), at(windows[0])
        if is_partitioned(self.policy):
            said = phrase(
                "is live until %(end)s, and ends with its partition at %(then)s", end=end, then=then
            )
        else:
            said = phrase(
                "is live until %(end)s, and ends with its window at %(window)s",
                end=end,
                window=then,
            )
        return said, max(windows[0], ends)

    def _past(self) -> tuple[str, datetime | None]:
        """What happens to a row that is past its end and not held."""
        ending = word("purged" if self.policy.disposition.hides else "updated")
        listed = self.entries[0].due_at if self.entries else None
        if is_partitioned(self.policy):
            return self._of_partition(listed)
        if self.keep:
            return phrase("is past its end, and kept by keep_while; looked at again then"), listed
        told, until = past(*self._mails(), self.now)
        if told:
            return told, until or listed
        tried = next((each for each in self.entries if each.attempts), None)
        if tried and (way := self._blockers()):
            said = phrase(
                "cannot be %(purged)s now: %(why)s; tried again then", purged=ending, why=way
            )
            return said, tried.due_at
        if listed is None:
            return phrase("is past its end, and not on the agenda: backfill lists it"), None
        tombstone = next((each for each in self.entries if each.tombstone), None)
        if tombstone and tombstone.tombstoned_at and self.grace is not None:
            return (
                phrase(
                    "is tombstoned since %(since)s; %(purged)s then",
                    since=at(tombstone.tombstoned_at),
                    purged=ending,
                ),
                tombstone.due_at,
            )
        if self.grace is None:
            return phrase("is past its end, and its grace is unknown"), listed
        what = word("tombstoned") if self.grace > timedelta(0) else ending
        said = phrase("is past its end; %(purged)s by the next batch", purged=what)
        return said, max(listed, self.now)

    def _of_partition(self, listed: datetime | None) -> tuple[str, datetime | None]:
        """What happens to a row that is past its end and goes with its partition."""
        if listed is None:
            why = partitions.why_not(self.policy, self.key, self.using)
            due = partitions.due_of(self.policy, self.key, self.using)
            said = phrase("is past its end, and goes with its partition: %(why)s", why=why)
            return said, max(due, self.now) if due else None
        if why := partitions.waits(self.entries[0]):
            said = phrase(
                "is past its end, and its partition waits: %(why)s; tried again then", why=why
            )
            return said, listed
        said = phrase("is past its end; purged with its partition by the next batch")
        return said, max(listed, self.now)

    def _mails(self) -> tuple[list[float] | None, RowException | None, datetime]:
        """The times of its mails, none where a person has expired it; what was said; its end."""
        spared, ends = self.exceptions.get("restored"), self._ends()
        base = max(each for each in (ends, spared and spared.until) if each)
        leads = None if "expired_by_hand" in self.exceptions else self.leads
        return leads, self.exceptions.get("noticed"), base

    def _ends(self) -> datetime | None:
        by_hand = self.exceptions.get("expired_by_hand")
        times = [time for time in (self.due, by_hand and by_hand.since) if time]
        return min(times) if times else None

    def _blockers(self) -> str | None:
        """Why it could not go when that was last tried; None where it was not tried."""
        last = self.events[0] if self.events else None
        if last is None or last.kind != "blocked":
            return None
        detail = last.detail
        by = detail.get("by") or self._referring(detail.get("table"))
        words = ", ".join(self.shown(by)) or detail.get("table") or detail.get("error", "")
        return phrase("in the way: %(names)s", names=words) if words else word("blocked")

    def _referring(self, table: str | None) -> list[str]:
        """The first rows of the table that refer to the row."""
        relations: Any = self.policy.model._meta.related_objects
        upper = rows_of_key(self.policy.model, self.key, self.using)
        found: list[Any] = []
        for each in relations:
            if table_of(each.related_model) == table:
                rows = every_row(each.related_model, self.using)
                found += rows.filter(**{f"{each.field.name}__in": upper}).order_by("pk")[:SHOWN]
        return [named(row) for row in found[:SHOWN]]
