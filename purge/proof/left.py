"""Events about a row that have left the table: read of the store, each as it was sealed.

The segments say in which pieces of the ledger they may be, so that only those are read.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Model

from lifecycle.compiler.keys import label_of_model
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.ledger.row_names import ledger_key
from lifecycle.ledger.segments import pieces_of
from lifecycle.models import Event
from lifecycle.proof.leaf import Record
from lifecycle.sealing.log import read_log
from purge.proof.anew import published_head
from purge.proof.options import ProofOptions, proof_options
from purge.proof.prune import ranges_of
from purge.proof.published import read_events
from purge.proof.ship import store_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def left_events(model: type[Model], key: str, known: Sequence[int], using: str) -> list[Event]:
    """The events about a row that have left the table, the newest first; none where none has.

    `known` are those of it that have not. The others are not saved, and have no sets. Raises
    `LifecycleError`, `ProofError`, `Unreachable` where they cannot be read: then it is not known
    what happened to the row.
    """
    options = proof_options()
    if options is None or not scalar(using, statement(__file__, "any_left")):
        return []
    pieces = pieces_of(model, key, using)
    params = {"lows": [low for low, _ in pieces], "highs": [high for _, high in pieces]}
    rows = fetch(using, statement(__file__, "places"), params)
    label, own = label_of_model(model), ledger_key(model, key, using)
    records = list(_records(using, options, rows))
    owners = {*map(str, known), *(each.id for each in records if _has(each, label, own))}
    found = [each for each in records if each.id in owners or each.basis in owners]
    return [_event(each) for each in sorted(found, key=lambda each: -int(each.id))]


def _has(record: Record, label: str, key: str) -> bool:
    return record.model == label and any(each.key == key for each in record.subjects)


def _records(
    using: str, options: ProofOptions, rows: Sequence[tuple[int, int, int]]
) -> Iterator[Record]:
    by_log = defaultdict(list)
    for _, number, index in rows:
        by_log[number].append(index)
    for number, indexes in by_log.items():
        log = read_log(using, number)
        head = published_head(options, log) if log else None
        if log is None or head is None:
            raise LookupError(f"log {number}")
        wanted = set(indexes)
        for start, end in ranges_of(indexes):
            for event in read_events(store_of(options, log), options.key, head, start, end):
                if event.leaf_index in wanted:
                    yield event.record


def _event(record: Record) -> Event:
    return Event(
        id=int(record.id), kind=record.kind, policy=record.policy, model=record.model,
        count=int(record.count), basis=int(record.basis) if record.basis else None,
        due_at=_moment(record.due_at), recorded_at=_moment(record.recorded_at),
        cause=record.cause, actor=record.actor, run=int(record.run) if record.run else None,
        detail=json.loads(record.detail),
    )  # fmt: skip


def _moment(micros: str | None) -> Any:
    return None if micros is None else EPOCH + timedelta(microseconds=int(micros))
