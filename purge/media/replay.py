"""Replay of media: files that are back although the ledger says that they are gone.

A bucket or a folder that was restored brings them back. A name is orphaned again only where no live
row shows it and its object is older than its end; the media step then deletes it as any other. One
that is newer was uploaded again or restored with a new time, which nobody can tell: it is `unsure`
and stays. Idempotent, and killed at any point it is repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connections
from psycopg.types.json import Jsonb

from lifecycle.db.connection import fetch, statement
from lifecycle.ledger.context import context
from purge.media import names
from purge.media.batch import field_of
from purge.media.model import MOST
from purge.media.references import held
from purge.media.stores.base import Found, Look, Store
from purge.media.stores.choose import store_of

Back = tuple[str, datetime]  # a name that is there again, and when it was deleted


@dataclass
class Files:
    """What a replay has found of files; `unsure`: by model and field, with an example."""

    back: int = 0
    unsure: int = 0
    examples: list[str] = field(default_factory=list)


def find(using: str, since: datetime, act: bool) -> Files:
    """Look for every name that the ledger has purged since; with `act` orphan them again, due now.

    Raises what a store raises: then some were orphaned again, and the next replay does the rest.
    """
    files = Files()
    for model, name, page in _pages(using, since):
        found = field_of(model, name)
        if found is None:
            continue
        back = _judged(store_of(found.storage), f"{model}.{name}", page, files)
        files.back += len(back)
        if act:
            for at, group in groupby(sorted(back, key=by_time), key=by_time):
                _orphan(using, model, name, at, [each for each, _ in group])
    return files


def _pages(using: str, since: datetime) -> Iterator[tuple[str, str, list[Back]]]:
    """Each field's names with the time of their last end, at most 1,000 at a time."""
    with connections[using].chunked_cursor() as cursor:
        cursor.execute(statement(__file__, "again"), {"since": since})
        rows = iter(lambda: cursor.fetchmany(MOST), [])
        for page in rows:
            for (model, name), group in groupby(page, key=lambda row: (row[0], row[1])):
                yield model, name, [(each, at) for _, _, each, at in group]


def _judged(store: Store, where: str, page: list[Back], files: Files) -> list[Back]:
    """Those of a page that are there again for certain; counts the others that are there."""
    refused = names.refused(store, (name for name, _ in page))
    good = {name: at for name, at in page if name not in refused}
    look: Look = store.look(good)
    there = look.found.keys() - held(store, look.found)
    back = []
    for name in sorted(there):
        if _is_older(look.found[name], good[name], look.slack):
            back.append((name, good[name]))
        else:
            files.unsure += 1
            files.examples = [*files.examples, f"{where} {name}"][:20]
    return back


def _is_older(one: Found, than: datetime, slack: float) -> bool:
    return one.at is not None and one.at <= than - timedelta(seconds=slack)


def by_time(back: Back) -> datetime:
    return back[1]


def _orphan(using: str, model: str, name: str, at: datetime, back: list[str]) -> None:
    """Due now; whatever is newer than their end is not theirs."""
    detail: dict[str, Any] = {"field": name, "names": back, "since": at.isoformat()}
    with context(cause="replay", using=using):
        params = {"model": model, "count": len(back), "detail": Jsonb(detail)}
        fetch(using, statement(__file__, "orphan_again"), params)
