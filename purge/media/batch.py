"""One batch of the media step: at most 1,000 names, from locked entries to what became of each.

Deletes people's files, after the rows that showed them are gone for good:

    pick     lock what is due on the agenda; the manifest is in its events
    look     what is in the store now, and from when; then, later, which names live rows hold
    delete   what nobody holds and is older than the event
    record   one event for each outcome and field; the last settles the entries

The transaction holds nothing but its own agenda entries, however long a store takes: no row of the
host waits for it. Killed at any point, it is repeated: an object that is missing counts as gone.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import OperationalError, transaction
from django.db.models import FileField

from lifecycle.db.connection import fetch, own_transaction, statement
from purge.batch.outcome import Outcome
from purge.media import verdicts
from purge.media.model import MOST, Batch, OrphanedFile, Verdict
from purge.media.observed import observed
from purge.media.record import record
from purge.media.store_backoff import answered, rest, resting
from purge.media.stores.base import Store
from purge.media.stores.choose import store_of


def run_batch(
    using: str, run: int | None, since: datetime, seen: list[int], dry: bool = False
) -> Outcome | None:
    """Settle what is due of the media, at most 1,000 names; None when nothing is.

    In a dry run nothing is deleted and the batch is taken back. Entries that stay as they are, and
    in a dry run all, are added to `seen`: this pass is done with them.
    """
    with own_transaction(using):
        batch = begin(using, run, dry)
        if batch is None or not pick(batch, since, seen):
            return None
        for where, entries in by_store(batch).items():
            settle(batch, where, entries)
        record(batch)
        if dry:
            transaction.set_rollback(True, using=using)
        seen.extend(batch.orphans if dry else batch.orphans.keys() - batch.settled)
        return batch.outcome


def begin(using: str, run: int | None, dry: bool) -> Batch | None:
    """The first statement; None while everything is paused."""
    try:
        with transaction.atomic(using=using):
            asked = time.time()
            _, _, _, now, clock, paused = fetch(using, statement(__file__, "begin"))[0]
    except OperationalError:
        return None  # a pause is being written; the next pulse sees it
    # The answer was made at some moment between the two: a slow one tells of no difference.
    skew = max(asked - clock.timestamp(), clock.timestamp() - time.time(), 0.0)
    return None if paused else Batch(using, run, now, dry, skew)


def pick(batch: Batch, since: datetime, seen: list[int]) -> bool:
    """Lock entries and read what they list; whether there are any."""
    params = {"now": batch.now, "since": since, "seen": seen, "most": MOST}
    text, today = statement(__file__, "pick"), dict[str, str]()
    watched = observed(batch.using)
    for entry, attempts, model, name, names, at, by_site in fetch(
        batch.using, text, params | {"resting": resting()}
    ):
        model = today.setdefault(model, current(model, batch.using))
        only = by_site and model in watched
        listed = [OrphanedFile(each, model, name, at, attempts, only) for each in json.loads(names)]
        batch.orphans[entry] = listed
        batch.outcome.looked += len(listed)
    return bool(batch.orphans)


def by_store(batch: Batch) -> dict[Store | None, list[int]]:
    """The entries of each store; None: of fields that are not in this code."""
    stores: dict[tuple[str, str], Store | None] = {}
    places: dict[tuple[Any, ...], Store] = {}
    found: dict[Store | None, list[int]] = {}
    for entry, orphans in batch.orphans.items():
        if not orphans:
            batch.settled.append(entry)
            continue
        where = (orphans[0].model, orphans[0].field)
        if where not in stores:
            store = _store(*where)
            stores[where] = store and places.setdefault(store.place, store)
        found.setdefault(stores[where], []).append(entry)
    return found


def current(model: str, using: str) -> str:
    """The label that a model has now; a policy's model takes what is recorded of it along."""
    app, _, name = model.partition(".")
    if name in apps.all_models.get(app, {}):
        return model
    found = fetch(using, statement(__file__, "renamed"), {"model": model})
    return str(found[0][0]) if found else model


def field_of(model: str, name: str) -> FileField | None:
    """The file field that an event names, where this code has it still."""
    try:
        found = apps.get_model(model)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return None
    return found if isinstance(found, FileField) else None


def _store(model: str, name: str) -> Store | None:
    found = field_of(model, name)
    return None if found is None else store_of(found.storage)


def settle(batch: Batch, store: Store | None, entries: list[int]) -> None:
    """Decide and act on what some entries list; a store that does not answer keeps them."""
    orphans = merged(orphan for entry in entries for orphan in batch.orphans[entry])
    if store is None:
        found = [Verdict(orphan, "blocked", "NoSuchField") for orphan in orphans]
    else:
        try:
            found = verdicts.settle(store, orphans, batch)
            answered(store)
        except verdicts.OutOfReach as error:
            batch.outcome.locked += len(orphans)
            rest(store, error)
            return
        except verdicts.Refused as error:
            found = [Verdict(orphan, "blocked", error.code) for orphan in orphans]
            rest(store, error)
    batch.settled += entries
    batch.verdicts += found


def merged(orphans: Iterable[OrphanedFile]) -> list[OrphanedFile]:
    """Each name once: it may have been orphaned twice, the later counts."""
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
