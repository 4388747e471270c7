"""What became of an erasure, from the ledger alone: to be shown to whoever request for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.fields.json import KT

from lifecycle.db.connection import fetch, statement
from lifecycle.ledger.row_names import row_name
from lifecycle.models import AgendaEntry, Event, RowException
from purge.batch.state import Batch
from purge.erasure import along, archived
from purge.erasure.receipt_words import in_words
from purge.passes.override import NONE

DONE = ("purged", "updated")


@dataclass(frozen=True)
class Receipt:
    """One row that was erased, or is going to be; names, times and counts, no field's value.

    state     `purged`, `updated`; `tombstoned` or `scheduled`: ends at `ends_at`, or soon after;
              `withdrawn`: restored or changed since; `deleted`: by the site itself
    events    the ledger's events about it: number, kind, time
    cascade   rows that went along, by model, also of tables without a policy
    unlinked  rows that stay, their link to it emptied, by model
    media     names of the files that it had, and those that went along
    media_gone  by name, when each of them was deleted; the others remain, maybe not for long
    archives  by name, those that its policy has put it into before it went: copies remain there
    archived_rows  what became of rows in archives that go with it, by policy: see
              `purge.erasure.archived.steps_of`
    waits_for why it has not ended although its time has come: a hold, what blocks it
    """

    reference: str
    row: str
    policy: str
    actor: str
    requested_at: datetime
    erasure: int
    state: str
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    cascade: dict[str, int] = field(default_factory=dict)
    unlinked: dict[str, int] = field(default_factory=dict)
    media: list[str] = field(default_factory=list)
    media_gone: dict[str, datetime] = field(default_factory=dict)
    archives: list[str] = field(default_factory=list)
    archived_rows: list[dict[str, Any]] = field(default_factory=list)
    waits_for: str = ""
    dry_run: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more is going to happen."""
        return self.state not in ("tombstoned", "scheduled")

    @property
    def is_gone(self) -> bool:
        """Whether the row was deleted, by an erasure or otherwise: one under its key is another."""
        return self.state in ("purged", "deleted")

    def answers(self, is_there: bool, grace: timedelta | None) -> bool:
        """Whether it answers another request for the row under its reference: not for a new row
        under an old key, nor where the rest of the grace is now to be skipped."""
        if is_there and self.is_gone:
            return False
        return not is_there or self.is_done or grace is None or grace > NONE

    @property
    def archives_wait(self) -> str:
        """Which archives still have rows that go with it, and why; empty where none does."""
        return archived.waiting(self.archived_rows)

    def as_json(self) -> str:
        """For programs; times in ISO 8601."""
        form = lambda moment: moment.astimezone(UTC).isoformat()  # noqa: E731
        return json.dumps(asdict(self), default=form, indent=2)

    def as_text(self) -> str:
        """For people, a line for each thing."""
        return in_words(self)


def receipts(reference: str, using: str = DEFAULT_DB_ALIAS) -> list[Receipt]:
    """The receipts of a reference, one for each row that was erased under it, in order.

    A request that came to no end of its own, and was followed by another for the row, has none.
    """
    named = Event.objects.using(using).alias(named=KT("detail__reference"))
    named = named.filter(detail__has_key="reference", named=reference)
    every = list(named.exclude(kind__in=("hold_placed", "requested")).order_by("id"))
    events = [event for event in every if event.kind != archived.KIND]
    archives = [event for event in every if event.kind == archived.KIND]
    requests = [event for event in events if event.kind == "expired_by_hand"]
    last = {(event.model, *event.subjects): event.pk for event in requests}.values()
    of: dict[int, list[Event]] = {event.pk: [] for event in requests}
    for event in events:
        of.setdefault(_erasure(event), []).append(event)
    return [
        _receipt(request, of[request.pk], archives, using)
        for request in requests
        if request.pk in last or any(event.kind in DONE for event in of[request.pk])
    ]


def earlier(row: str, reference: str, using: str) -> Receipt | None:
    """The receipt of a request for a row by its name, unless it was withdrawn since."""
    found = [each for each in receipts(reference, using) if each.row == row]
    return next((each for each in reversed(found) if each.state != "withdrawn"), None)


def would_be(batch: Batch, reference: str, erasure: int) -> Receipt:
    """The receipt of a dry run, which stops before the end."""
    (found,) = [r for r in receipts(reference, batch.using) if r.erasure == erasure]
    detail: dict[str, Any] = dict(batch.cascaded)
    ended = batch.outcome.purged + batch.outcome.updated > 0
    if ended:
        state = "purged" if batch.outcome.purged else "updated"
        detail |= {"state": state, "ended_at": batch.now, "ends_at": None}
    return replace(found, dry_run=True, events=[], **detail)


def _erasure(event: Event) -> int:
    return int(event.detail.get("erasure", event.pk))


def _receipt(request: Event, events: list[Event], archives: Sequence[Event], using: str) -> Receipt:
    (key,) = request.subjects
    model = apps.get_model(request.model)
    ends = [event for event in events if event.kind in DONE and event.cause != "cascade"]
    end = ends[-1] if ends else None
    detail = end.detail if end else {}
    own = [event for event in archives if event.detail.get("erasure", request.pk) == request.pk]
    receipt = Receipt(
        reference=str(request.detail["reference"]),
        row=row_name(model, key),
        policy=request.policy,
        actor=request.actor,
        requested_at=request.recorded_at,
        erasure=request.pk,
        state=end.kind if end else "",
        ended_at=end.recorded_at if end else None,
        events=[{"id": e.pk, "kind": e.kind, "at": e.recorded_at} for e in (*events, *own)],
        cascade=along.cascade(events, detail),
        unlinked=detail.get("unlinked", {}),
        media=detail.get("media", []),
        archives=[e.detail["archive"] for e in events if e.kind == "archived"],
        archived_rows=archived.steps_of(own, using),
        media_gone=gone(detail.get("media", []), end.pk, using) if end else {},
    )
    return receipt if end else _pending(receipt, events, model, key, using)


def _pending(
    receipt: Receipt, events: list[Event], model: type[Model], key: str, using: str
) -> Receipt:
    if not RowException.objects.using(using).filter(event=receipt.erasure).exists():
        return _found(receipt, model, key, using)
    listed = AgendaEntry.objects.using(using).filter(event__in=[event.pk for event in events])
    entry = listed.order_by("due_at").first()
    has_tombstone = any(event.kind == "tombstoned" for event in events)
    return replace(
        receipt,
        state="tombstoned" if has_tombstone else "scheduled",
        ends_at=entry.due_at if entry else None,
        waits_for=along.waits_for(events[-1]),
    )


def _found(receipt: Receipt, model: type[Model], key: str, using: str) -> Receipt:
    """Ended by an event that does not name the erasure: the site's own, or a batch of many rows.

    What went along with many rows is not known of each.
    """
    end = along.end_after(receipt.erasure, model, key, using)
    if end is None:
        return replace(receipt, state="withdrawn")
    return replace(
        receipt,
        state=end.kind if end.kind == "purged" else "deleted",
        ended_at=end.at,
        events=[*receipt.events, {"id": end.id, "kind": end.kind, "at": end.at}],
        cascade=json.loads(end.detail).get("cascade", {}) if end.rows == 1 else {},
    )


def gone(names: list[str], after: int, using: str) -> dict[str, datetime]:
    """When each of some files was deleted, by the events after this one; sorted by name."""
    if not names:
        return {}
    params = {"names": names, "after": after}
    return dict(fetch(using, statement(__file__, "media_gone"), params))
