"""Requests in words and as data: where each stands, and which are overdue."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from lifecycle.ledger.row_names import model_of, row_name
from lifecycle.printable import in_utc, visible
from purge.models import Request
from purge.requests.ask import receipt_of


def overdue(using: str) -> list[Request]:
    """Requests that are open past their deadline, the oldest first."""
    found = Request.objects.using(using).filter(done_at=None, due_at__lte=timezone.now())
    return list(found.order_by("due_at"))


def status_of(request: Request, using: str) -> str:
    """`done`, `answered`, `waits`, or `under way`: the row is tombstoned, or ends at its grace."""
    if request.done_at:
        return "answered" if request.answer else "done"
    found = receipt_of(request, using)
    under_way = [each for each in found if not each.is_done or each.archives_wait]
    return "under way" if under_way else "waits"


def name_of(request: Request) -> str:
    """The row that it is about."""
    return row_name(model_of(request.model), request.key)


def as_data(request: Request, using: str) -> dict[str, Any]:
    """For programs."""
    return {
        "number": request.pk, "reference": request.reference, "row": name_of(request),
        "policy": request.policy, "status": status_of(request, using),
        "received_at": request.received_at, "due_at": request.due_at,
        "overdue": is_overdue(request), "extended_at": request.extended_at,
        "extension": request.extension, "waits_for": request.waits_for,
        "done_at": request.done_at, "answer": request.answer, "actor": request.actor,
    }  # fmt: skip


def is_overdue(request: Request, now: datetime | None = None) -> bool:
    """Whether it is open past its deadline."""
    return request.done_at is None and request.due_at <= (now or timezone.now())


def line_of(request: Request, using: str) -> str:
    """For people."""
    status = status_of(request, using)
    words = [f"{request.pk}: {request.reference}, {name_of(request)}, {status}"]
    if request.done_at:
        words.append(f"{in_utc(request.done_at)}")
    else:
        due = "OVERDUE since" if is_overdue(request) else "due"
        words.append(f"{due} {in_utc(request.due_at)}")
    if request.extended_at:
        words.append("extended")
    more = request.answer if request.done_at else request.waits_for
    return visible(", ".join(words) + (f": {more}" if more else ""))


def tell_withheld(write: Callable[[str], object], count: int) -> None:
    """Write that so many requests wait for a person since a restore; nothing where none does."""
    if count:
        text = "open requests for erasure wait for you, for they may have been answered since"
        write(f"{count} {text} the backup: `manage.py lifecycle requests`.")
