"""For promise 13: `purged` events that are compared with the tables, a set of some rows at a time.

A sample unless all are asked for: drawn anew each time, so that what one run has not seen another
one may. All are read newest first, set after set: memory does not grow with the ledger.
"""

import secrets
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from django.db.models import Model
from psycopg import sql

from lifecycle.db.connection import Placed, fetch, part, scalar, statement
from lifecycle.ledger.resurrected import model_of, search

ROWS = 20_000  # of the ledger in one set
SAMPLED = 50_000  # rows of a sample
LATEST = 1_000  # events of the ledger that every sample looks among
PAGES = 500  # of the ledger that the others are drawn from
NEWEST = 2**63 - 1
PAGES_NOW = """SELECT pg_relation_size('lifecycle_event') / current_setting('block_size')::int"""


class EndedSet(NamedTuple):
    """Events of one table that have identities of the same fields."""

    model: type[Model]
    names: str
    events: list[int]


def violations(using: str, text: str, labels: Collection[str], deep: bool) -> Iterator[Any]:
    """What the check finds in sets of events of these tables: a sample, or `deep` all."""
    for ended in (_every_set if deep else _sample)(using, sorted(labels)):
        there = search(ended.model, ended.names, "event.id = ANY (%(events)s)")
        query = sql.SQL(text).format(there=part(Placed(there))).as_string()
        label = ended.model._meta.label_lower
        yield from fetch(using, query, {"model": label, "events": ended.events})


def _sample(using: str, labels: list[str]) -> Iterator[EndedSet]:
    pages = max(int(scalar(using, PAGES_NOW)), 1)
    params = {
        "labels": labels, "latest": LATEST, "share": min(100.0, 100.0 * PAGES / pages),
        "rows": SAMPLED, "seed": secrets.randbelow(2**31),
    }  # fmt: skip
    for label, names, events in fetch(using, statement(__file__, "sample"), params):
        yield EndedSet(model_of(label), names, events)


def _every_set(using: str, labels: list[str]) -> Iterator[EndedSet]:
    below = NEWEST
    while True:
        params = {"labels": labels, "rows": ROWS, "below": below}
        found = fetch(using, statement(__file__, "set"), params)
        if not found:
            return
        for label, names, events, lowest in found:
            yield EndedSet(model_of(label), names, events)
            below = lowest
