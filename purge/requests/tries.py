"""Trying requests for erasure: by whoever asks, and by a worker.

A request that is refused, by a hold as a rule, stays open: a worker tries it again when a hold was
released, and from time to time. Each try is `erase` under the request's reference, so that one
which came through is not done twice. What is tried is what the events of the request say.
"""

from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import F, Model, Q

from lifecycle.db.connection import READ_COMMITTED, fetch, local_settings, scalar, statement
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.context import in_context
from lifecycle.ledger.row_names import model_of, row_name
from lifecycle.ledger.segments import pieces_of
from lifecycle.logs import Log
from lifecycle.models import RowException
from lifecycle.phrases import phrase
from purge.back_off import back_off
from purge.erasure.erase import erase_key
from purge.erasure.receipt import Receipt, receipts
from purge.exceptions import ErasureRefused
from purge.models import Request
from purge.requests.told import RESTORED, Told, project, say, told_of

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(days=1)
AT_ONCE = 50  # requests that one look tries
GONE = phrase("the row was not in the database any more")
UNTOLD = phrase("the ledger does not say that anybody has opened it")
TRIED = ("waits_for", "tries", "tried_at", "again_at")

log = Log("purge")


def try_request(request: Request, using: str, asked: bool = False, cause: str = "") -> Request:
    """Try the erasure of an open request, and note what came of it, in one transaction.

    What is meant is the row that had the key when the request was opened: not another that has come
    to it since. Nor one that a person has restored since, unless a person has `asked` again.
    """
    if asked:
        ask_again(request, in_context("actor", using) or request.actor, using, cause)
    outer = connections[using].in_atomic_block
    with transaction.atomic(using=using):
        if not outer:
            fetch(using, READ_COMMITTED)
        # As it is now: it may have been answered since it was read.
        found, told = as_told(request.pk, using)
        if told is None:
            found.waits_for, found.tried_at = UNTOLD, scalar(using, "SELECT lifecycle.now_v1()")
            found.again_at = found.tried_at + LONGEST_WAIT
        elif not found.done_at and not told.withheld:
            with local_settings(using, **{"lifecycle.cause": cause or None}):
                found = _try(found, told, using)
        found.save(using=using, update_fields=TRIED)
    return found


def ask_again(request: Request, actor: str, using: str, cause: str = "") -> None:
    """Record that a person wants it once more, where it waits for that."""
    with transaction.atomic(using=using):
        found, told = as_told(request.pk, using)
        if told and not found.done_at and (told.withheld or _restored(found, told, using)):
            with local_settings(using, **{"lifecycle.cause": cause or None}):
                say(found, "asked", actor, using)


def as_told(number: int, using: str) -> tuple[Request, Told | None]:
    """A request, locked; and its row made what the events say of it."""
    locked = Request.objects.using(using).select_for_update()
    locked.get(pk=number)
    told = told_of(number, using)
    if told:
        project(using, [number])
    return locked.get(pk=number), told


def _try(request: Request, told: Told, using: str) -> Request:
    """What came of it; a request that is closed by it is so by an event."""
    request.tried_at = scalar(using, "SELECT lifecycle.now_v1()")
    try:
        model, before = model_of(request.model), receipt_of(request, using)
        if before and _answers(before[0], request):
            return _note(request, before[0], using)
        if is_gone(request, model, using):
            raise RowMissing(GONE)
        if number := _restored(request, told, using):
            raise ErasureRefused(
                phrase(
                    "The row was restored since (event %(number)s): answer the request, or "
                    "open it once more under its reference.",
                    number=number,
                )
            )
        receipt = erase_key(
            model, request.key, request.reference, request.grace, request.policy, told.asker, False,
            using,
        )  # fmt: skip
    except RowMissing:
        return _close(request, using, reason=GONE)
    except LifecycleError as error:
        request.tries += 1
        request.waits_for = str(error)
        wait = back_off(FIRST_WAIT, LONGEST_WAIT, request.tries - 1)
        request.again_at = request.tried_at + wait
        return request
    return _note(request, receipt, using)


def _answers(receipt: Receipt, request: Request) -> bool:
    """Whether a receipt says that the request is done: not one of before it was opened, for the
    row may be another since; then the erasure itself tells."""
    since = receipt.events[-1]["id"] > request.event
    return since and receipt.is_done and receipt.state != "withdrawn"


def is_gone(request: Request, model: type[Model], using: str) -> bool:
    """Whether the row has ended since the request was opened, also if another has its key now."""
    pieces = [piece for piece in pieces_of(model, request.key, using) if piece[1] > request.event]
    params: dict[str, Any] = {"model": request.model, "key": request.key, "event": request.event}
    params |= {"lows": [low for low, _ in pieces], "highs": [high for _, high in pieces]}
    return bool(scalar(using, statement(__file__, "is_gone"), params))


def _restored(request: Request, told: Told, using: str) -> int | None:
    """The event by which somebody has restored the row since it was asked for last."""
    known = RowException.objects.using(using).filter(kind="restored", policy=request.policy)
    restored = known.filter(model=request.model, key=request.key, event__gt=told.asked)
    return restored.values_list("event", flat=True).first()


def _note(request: Request, receipt: Receipt, using: str) -> Request:
    """Under way, or done; what is under way is looked at again, for it may be withdrawn. It is done
    when nothing of the row is left in archives either."""
    has_ended = receipt.is_done and receipt.state != "withdrawn"
    if has_ended and receipt.archives_wait:
        request.waits_for, request.tries, request.again_at = receipt.archives_wait, 0, None
        return request
    if has_ended and request.tried_at:
        return _close(request, using, ended=(receipt.ended_at or request.tried_at).isoformat())
    request.waits_for, request.tries, request.again_at = receipt.waits_for, 0, None
    return request


def _close(request: Request, using: str, **said: str) -> Request:
    tried = request.tried_at
    request = say(request, "done", in_context("actor", using), using, **said)
    request.tried_at, request.tries, request.again_at = tried, 0, None
    return request


def retry(using: str = DEFAULT_DB_ALIAS) -> int:
    """Try the open requests whose time has come: those that were refused after a hold was released
    and later and later, those under way for whether they are done. Returns how many were tried."""
    now, released = fetch(using, statement(__file__, "moments"))[0]
    late = Q(again_at__lte=now) | Q(again_at__isnull=True)
    late |= Q(again_at__gt=now + LONGEST_WAIT)  # which no worker has noted
    if released:
        late |= Q(tried_at__lt=released)
    found = Request.objects.using(using).filter(late, done_at=None).exclude(waits_for=RESTORED)
    # One that was never tried comes first: those under way are looked at again every time.
    tried = list(found.order_by(F("tried_at").asc(nulls_first=True))[:AT_ONCE])
    for each in tried:
        try:
            try_request(each, using)
        except Exception:
            log("request_failed", f"request {each.pk}: an error", request=each.pk, database=using)
            later = {"tried_at": now, "again_at": now + FIRST_WAIT}  # the others come first
            Request.objects.using(using).filter(pk=each.pk).update(**later)
    return len(tried)


def receipt_of(request: Request, using: str) -> list[Receipt]:
    """The receipt of a request; none while it was refused."""
    name = row_name(model_of(request.model), request.key)
    return [each for each in receipts(request.reference, using) if each.row == name][-1:]
