"""Replay of media: files that are there again although the ledger says that they were deleted.

A bucket or a folder that was restored brings them back. A name is orphaned again only where no live
row shows it and its object is older than its end; the media step then deletes it as any other. One
that is newer was uploaded again or restored with a new time, which nobody can tell: it is `unsure`
and stays. Idempotent, and killed at any point it is repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connections
from psycopg.types.json import Jsonb

from lifecycle.db.connection import fetch, statement
from lifecycle.ledger.context import context
from purge.media import names
from purge.media.batch import field_of
from purge.media.model import BATCH_NAMES
from purge.media.stores import store_of
from purge.media.stores.base import Listing, Store, StoredObject


class DeletedName(NamedTuple):
    """A name whose object the ledger says was deleted, and when it was last."""

    model: str
    field: str
    name: str
    at: datetime


@dataclass
class Files:
    """What a replay has found of files; `unsure`: how many it leaves, with examples."""

    back: int = 0
    unsure: int = 0
    examples: list[str] = field(default_factory=list)


def find(using: str, since: datetime, act: bool) -> Files:
    """Look for every name that was deleted since; with `act` orphan those that are back, due now.

    Raises what a store raises: then some were orphaned again, and the next replay does the rest.
    """
    files = Files()
    for page in _pages(using, since):
        found = field_of(page[0].model, page[0].field)
        if found is None:
            continue
        back = _back(store_of(found.storage), page, files)
        files.back += len(back)
        if act:
            for _, group in groupby(sorted(back, key=attrgetter("at")), key=attrgetter("at")):
                _orphan(using, list(group))
    return files


@dataclass
class Lost:
    """Files that rows show and that were deleted: how many, with examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


def lost(using: str, since: datetime) -> Lost:
    """Look for rows that show a name which was deleted since and is not there: they are incomplete.

    A backup brings back rows, and no files. Raises what a store raises.
    """
    found = Lost()
    for page in _pages(using, since):
        known = field_of(page[0].model, page[0].field)
        if known is None:
            continue
        store = store_of(known.storage)
        names_of = {each.name: each for each in page}
        names_of = {n: names_of[n] for n in names_of.keys() - names.refused(store, names_of).keys()}
        listing: Listing = store.list_objects(names_of)
        gone = names_of.keys() - listing.objects.keys() - listing.failed.keys()
        shown = sorted(names.referenced_names(store, gone)) if gone else []
        found.count += len(shown)
        examples = [f"{names_of[n].model}.{names_of[n].field} {n}" for n in shown]
        found.examples = [*found.examples, *examples][:20]
    return found


def _pages(using: str, since: datetime) -> Iterator[list[DeletedName]]:
    """The deleted names, of one field a page, at most 1,000 at a time."""
    with connections[using].chunked_cursor() as cursor:
        cursor.execute(statement(__file__, "deleted_names"), {"since": since})
        for rows in iter(lambda: cursor.fetchmany(BATCH_NAMES), []):
            page = (DeletedName(*row) for row in rows)
            for _, group in groupby(page, key=attrgetter("model", "field")):
                yield list(group)


def _back(store: Store, page: list[DeletedName], files: Files) -> list[DeletedName]:
    """Those of a page that are there again for certain; counts the others that are there."""
    refused = names.refused(store, (each.name for each in page))
    good = {each.name: each for each in page if each.name not in refused}
    listing: Listing = store.list_objects(good)
    there = listing.objects.keys() - names.referenced_names(store, listing.objects)
    back = []
    for name in sorted(there):
        if _is_older(listing.objects[name], good[name].at, listing.slack):
            back.append(good[name])
        else:
            files.unsure += 1
            example = f"{good[name].model}.{good[name].field} {name}"
            files.examples = [*files.examples, example][:20]
    return back


def _is_older(one: StoredObject, than: datetime, slack: float) -> bool:
    return one.at is not None and one.at <= than - timedelta(seconds=slack)


def _orphan(using: str, back: list[DeletedName]) -> None:
    """Orphan names of one field and time again, due now; objects newer than that time stay."""
    first, found = back[0], [each.name for each in back]
    detail: dict[str, Any] = {"field": first.field, "names": found, "since": first.at.isoformat()}
    with context(cause="replay", using=using):
        params = {"model": first.model, "count": len(back), "detail": Jsonb(detail)}
        fetch(using, statement(__file__, "orphan_again"), params)
