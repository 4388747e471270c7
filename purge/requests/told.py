"""What the ledger says of requests for erasure, and the table `purge_request` made of it.

The table is one that the site's role writes: no row is erased by what stands there, but by what the
events of its request say. Only what a worker has noted of its tries stands in the table alone.
"""

from typing import Any, NamedTuple

from django.db import DataError, transaction

from lifecycle.db.connection import Placed, fetch, statement
from lifecycle.db.tables import tables_in
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.row_names import model_of
from lifecycle.ledger.write import write
from purge.models import Request

RESTORED = (
    "the database was restored, and what was decided about it since the backup is lost:"
    " open it again, or answer it"
)


UNREADABLE = "what is said of its request cannot be read"


class Told(NamedTuple):
    """Who has asked for it last, by which event; whether it waits for somebody since a restore."""

    number: int
    asked: int
    asker: str
    withheld: bool


def say(request: Request, step: str, actor: str, using: str, **detail: Any) -> Request:
    """Record a step of a request, in the caller's transaction, and note it in its row."""
    of, said = model_of(request.model), {"step": step, "request": request.pk} | detail
    with transaction.atomic(using=using):
        with context(actor, in_context("cause", using), using):
            named = {"policy": request.policy, "model": request.model, "key": request.key}
            write("requested", using, **named, of=of, detail=said)
        project(using, [request.pk])
    return Request.objects.using(using).get(pk=request.pk)


def told_of(number: int, using: str) -> Told | None:
    """What the ledger says of a request; None where it knows of none under that number."""
    found = fetch(using, _filled("told"), {"numbers": [number]})
    return Told(*found[0]) if found else None


def project(using: str, numbers: list[int] | None = None) -> None:
    """Make the rows of some requests what the events say, or of all."""
    fetch(using, _filled("put"), {"numbers": numbers, "restored": RESTORED})


def rebuild(using: str) -> None:
    """Make the table again from the ledger; where it is not in this database, nothing."""
    if "purge_request" in tables_in(using):
        with transaction.atomic(using=using):
            readable = _readable(using)
            fetch(using, _filled("forget"), {"numbers": readable})
            project(using, readable)


def strayed(using: str) -> list[tuple[int, str, str]]:
    """What of the table is not what the events say: number, model, what is wrong."""
    if "purge_request" not in tables_in(using):
        return []
    readable = _readable(using)
    found = fetch(using, _filled("strayed"), {"numbers": readable, "restored": RESTORED})
    if readable is None:
        return found
    opened = fetch(using, statement(__file__, "numbers"))
    return found + [(*each, UNREADABLE) for each in opened if each[0] not in readable]


def _readable(using: str) -> list[int] | None:
    """None where all can be read; else the numbers of those that can."""
    if _can_be_read(using, None):
        return None
    numbers = [number for number, _ in fetch(using, statement(__file__, "numbers"))]
    return [number for number in numbers if _can_be_read(using, [number])]


def _can_be_read(using: str, numbers: list[int] | None) -> bool:
    try:
        with transaction.atomic(using=using):
            fetch(using, _filled("read"), {"numbers": numbers})
    except DataError:
        return False
    return True


def _filled(name: str) -> str:
    lines = statement(__file__, "fold").splitlines()
    fold = "\n".join(line for line in lines if not line.startswith("--"))
    return statement(__file__, name, fold=Placed(fold))
