"""One batch of the media step: at most 1,000 names, from locked entries to what became of each.

Deletes people's files, after the rows that showed them are gone for good:

    claim    lock what is due on the agenda; the names are in its events
    parked   an entry whose event cannot be read: tried later and later, and no other waits for it
    decide   list the store, then, later, read which names live rows show
    delete   what no row shows and is older than the event
    record   one event for each outcome and field; the last settles the entries

The transaction locks nothing but its own agenda entries, however long a store takes: no row of the
site waits for it. Killed at any point, it is repeated: an object that is missing counts as gone.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import OperationalError, transaction
from django.db.models import FileField

from lifecycle.db.connection import CONTENDED, fetch, own_transaction, sqlstate, statement
from lifecycle.logs import Log
from purge.batch.outcome import Outcome
from purge.media import decide
from purge.media.model import BATCH_NAMES, FileDecision, MediaBatch, OrphanedFile, ParkedEntry
from purge.media.names import Unreadable, observed_tables
from purge.media.record import record
from purge.media.store_backoff import back_off_store, backed_off_fields, reset
from purge.media.stores import store_of
from purge.media.stores.base import Store

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no event is older
SLACK = timedelta(days=1)

log = Log("purge")


class ClaimedEntry(NamedTuple):
    """An agenda entry and what its event says, as it says it: `read_event` reads it.

    `by_site`: the site itself took the names away.
    """

    entry: int
    event: int | None
    attempts: int
    model: str | None
    field: str | None
    names: str | None  # JSON
    since: str | None
    recorded_at: datetime
    by_site: bool


def run_batch(
    using: str, run: int | None, since: datetime, seen: list[int], dry: bool = False,
    most: int = BATCH_NAMES,
) -> Outcome | None:  # fmt: skip
    """Settle what is due of the media, `most` names or those of one event; None when nothing is.

    In a dry run nothing is deleted and the batch is taken back. Entries that stay as they are, and
    in a dry run all, are added to `seen`: this pass is done with them.
    """
    with own_transaction(using):
        batch = begin(using, run, dry)
        if batch is None or not claim(batch, since, seen, most):
            return None
        for store, entries in by_store(batch).items():
            settle(batch, store, entries)
        record(batch)
        if dry:
            transaction.set_rollback(True, using=using)
        seen.extend(batch.orphans if dry else batch.orphans.keys() - batch.settled)
        return batch.outcome


def begin(using: str, run: int | None, dry: bool) -> MediaBatch | None:
    """The first statements; None while everything is paused."""
    try:
        with transaction.atomic(using=using):
            fetch(using, statement(__file__, "begin"))
    except OperationalError as error:
        if sqlstate(error) not in CONTENDED:
            raise
        return None  # a pause is being written; the next pulse sees it
    before = time.time()
    now, clock, paused = fetch(using, statement(__file__, "state_now"))[0]
    # The database read its clock at some moment in between: a slow answer is no difference.
    skew = max(before - clock.timestamp(), clock.timestamp() - time.time(), 0.0)
    return None if paused else MediaBatch(using, run, now, dry, skew)


def claim(batch: MediaBatch, since: datetime, seen: list[int], most: int = BATCH_NAMES) -> bool:
    """Lock due entries and read their names; whether there are any."""
    params = {"now": batch.now, "since": since, "seen": seen, "most": most}
    params["unreachable"] = backed_off_fields()
    observed, labels = observed_tables(batch.using), dict[str, str]()
    for row in fetch(batch.using, statement(__file__, "claim"), params):
        claimed = ClaimedEntry(*row)
        try:
            names, since = read_event(claimed, batch.now)
        except (ValueError, RecursionError):  # the latter of JSON that is very deep
            batch.orphans[claimed.entry] = []
            batch.parked.append(ParkedEntry(claimed.entry, claimed.event, claimed.attempts))
            batch.outcome.looked += 1
            continue
        label = str(claimed.model)
        model = labels.setdefault(label, current(label, batch.using))
        only = claimed.by_site and model in observed
        about = (model, str(claimed.field), since, claimed.attempts, only)
        batch.orphans[claimed.entry] = [OrphanedFile(name, *about) for name in names]
        batch.outcome.looked += len(names)
    return bool(batch.orphans)


def read_event(claimed: ClaimedEntry, now: datetime) -> tuple[list[str], datetime]:
    """The names of an event, and since when; `ValueError` where it is not what it has to be."""
    names = json.loads(claimed.names or "null")
    if not (claimed.model and claimed.field and isinstance(names, list)):
        raise ValueError("no names of a field")
    if len(names) > BATCH_NAMES or not all(isinstance(name, str) for name in names):
        raise ValueError("other than names, or too many")
    since = datetime.fromisoformat(claimed.since) if claimed.since else claimed.recorded_at
    if since.tzinfo is None or not EARLIEST <= since <= now + SLACK:
        raise ValueError("no moment at which names were orphaned")
    return names, since


def by_store(batch: MediaBatch) -> dict[Store | None, list[int]]:
    """The entries of each store; None: of fields that are not in this code."""
    stores: dict[tuple[str, str], Store | None] = {}
    by_identity: dict[tuple[Any, ...], Store] = {}
    found: dict[Store | None, list[int]] = {}
    for entry, orphans in batch.orphans.items():
        if not orphans:
            batch.settled.append(entry)
            continue
        field = (orphans[0].model, orphans[0].field)
        if field not in stores:
            store = _store(*field)
            stores[field] = store and by_identity.setdefault(store.identity, store)
        found.setdefault(stores[field], []).append(entry)
    return found


def current(model: str, using: str) -> str:
    """The label that a model has now, where it was renamed with its policy."""
    app, _, name = model.partition(".")
    if name in apps.all_models.get(app, {}):
        return model
    found = fetch(using, statement(__file__, "renamed"), {"model": model})
    return str(found[0][0]) if found else model


def field_of(model: str, name: str) -> FileField | None:
    """The file field that an event names, where this code has it still."""
    try:
        found = apps.get_model(model)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None
    return found if isinstance(found, FileField) else None


def _store(model: str, name: str) -> Store | None:
    found = field_of(model, name)
    return None if found is None else store_of(found.storage)


def settle(batch: MediaBatch, store: Store | None, entries: list[int]) -> None:
    """Decide on the names of some entries; those of a store that does not answer stay due."""
    orphans = merged(orphan for entry in entries for orphan in batch.orphans[entry])
    if store is None:
        found = [FileDecision(orphan, "blocked", "NoSuchField") for orphan in orphans]
    else:
        try:
            found = decide.settle(store, orphans, batch)
            reset(store)
        except decide.OutOfReach as error:
            batch.outcome.locked += len(orphans)
            batch.outcome.stopped = str(error)
            back_off_store(store, error)
            return
        except decide.Refused as error:
            found = [FileDecision(orphan, "blocked", error.code) for orphan in orphans]
            back_off_store(store, error)
        except Unreadable as error:
            found = [FileDecision(orphan, "blocked", error.code) for orphan in orphans]
            log("media_unreadable", str(error), cause=error.code, database=batch.using)
    batch.settled += entries
    batch.decisions += found


def merged(orphans: Iterable[OrphanedFile]) -> list[OrphanedFile]:
    """Each name once: of one that was orphaned twice the later time counts."""
    found: dict[str, OrphanedFile] = {}
    for orphan in orphans:
        known = found.get(orphan.name, orphan)
        found[orphan.name] = replace(
            known,
            since=max(known.since, orphan.since),
            attempts=max(known.attempts, orphan.attempts),
            observed=known.observed and orphan.observed,
        )
    return list(found.values())
