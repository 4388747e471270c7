"""Opening a request for erasure, trying it, extending its deadline, answering it otherwise.

A request that is refused, by a hold as a rule, stays open: a worker tries it again when a hold was
released, and from time to time. Each try is `erase` under the request's reference, so that one
which came through is not done twice.
"""

from calendar import monthrange
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model, Q
from django.utils import timezone

from lifecycle.compiler.keys import key_text, label_of_model
from lifecycle.db.connection import READ_COMMITTED, fetch, scalar, statement
from lifecycle.db.rows import home_of
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.context import in_context
from lifecycle.ledger.row_names import ledger_key, model_of, row_name
from lifecycle.ledger.segments import pieces_of
from lifecycle.ledger.write import refuse_unnamed
from lifecycle.logs import Log
from lifecycle.models import RowException
from purge.back_off import back_off
from purge.erasure.erase import erase_key
from purge.erasure.receipt import Receipt, receipts
from purge.erasure.refusals import check, policy_for
from purge.exceptions import ErasureRefused
from purge.models import Request

MONTH, LONGER = timedelta(days=30), timedelta(days=60)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(days=1)
AT_ONCE = 50  # requests that one look tries
GONE = "the row was not in the database any more"
RESTORED = (
    "the database was restored, and what was decided about it since the backup is lost:"
    " open it again, or answer it"
)

log = Log("purge")


def request_erasure(
    obj: Model, reference: str, received: datetime | None = None, grace: timedelta | None = None,
    policy: str | None = None, actor: str = "", using: str | None = None,
) -> Request:  # fmt: skip
    """Open a request for a row's erasure, due a month after it was `received`, and try it now.

    Not inside a transaction. Options and refusals are those of `erase`; but where a hold, another
    row or a stopped policy keeps the row, the request stays open and a worker tries it again. The
    same reference and row again: the same request.
    """
    model: Any = obj._meta.concrete_model
    using = using or home_of(obj)
    return request_key(
        model, key_text(model, obj.pk), reference, received, grace, policy, actor, using
    )


def request_key(
    model: type[Model], key: str, reference: str, received: datetime | None,
    grace: timedelta | None, policy: str | None, actor: str, using: str,
) -> Request:  # fmt: skip
    """As `request_erasure`, of a row by its key."""
    refuse_unnamed(model)
    chosen = policy_for(model, policy)
    actor = actor or in_context("actor", using)
    check(chosen, reference, grace, actor)
    now = timezone.now()
    received = received or now
    if received > now:
        raise LifecycleError("A request cannot have been received in the future.")
    named = {"reference": reference, "model": label_of_model(model)}
    named["key"] = ledger_key(model, key, using)
    said: dict[str, Any] = {"policy": chosen.name, "grace": grace, "actor": actor[:200]}
    said |= {"received_at": received, "due_at": deadline(received)}
    said["event"] = scalar(using, statement(__file__, "last_event"))
    found, _ = Request.objects.using(using).get_or_create(**named, defaults=said)
    return try_request(found, using, asked=True)


def deadline(received: datetime, longer: bool = False) -> datetime:
    """When a request is due: 30 days after it came, 60 more where it was extended; sooner where the
    month, or the three, of Article 12(3) of the GDPR are over sooner, by the site's calendar."""
    local = timezone.localtime(received)
    years, month = divmod(local.month - 1 + (3 if longer else 1), 12)
    year = local.year + years
    day = min(local.day, monthrange(year, month + 1)[1])
    return min(
        local + MONTH + (LONGER if longer else timedelta(0)),
        local.replace(year=year, month=month + 1, day=day),
    )


def try_request(request: Request, using: str, asked: bool = False) -> Request:
    """Try the erasure of an open request, and note what came of it, in one transaction.

    What is meant is the row that had the key when the request was opened: not another that has come
    to it since. Nor one that a person has restored since, unless a person has `asked` again.
    """
    outer = connections[using].in_atomic_block
    with transaction.atomic(using=using):
        if not outer:
            fetch(using, READ_COMMITTED)
        # As it is now: it may have been answered since it was read.
        found = Request.objects.using(using).select_for_update().get(pk=request.pk)
        if not found.done_at:
            _try(found, using, asked)
            found.save(using=using)
    return found


def _try(request: Request, using: str, asked: bool) -> None:
    request.tried_at = scalar(using, "SELECT lifecycle.now_v1()")
    try:
        model, before = model_of(request.model), receipt_of(request, using)
        if before and before[0].is_done and before[0].state != "withdrawn":
            return _note(request, before[0])
        if _is_gone(request, model, using):
            raise RowMissing(GONE)
        if not asked:
            _refuse_restored(request, using)
        receipt = erase_key(
            model, request.key, request.reference, request.grace, request.policy, request.actor,
            False, using,
        )  # fmt: skip
    except RowMissing:
        request.waits_for, request.answer, request.done_at = "", GONE, request.tried_at
    except LifecycleError as error:
        request.tries += 1
        request.waits_for = str(error)
        wait = back_off(FIRST_WAIT, LONGEST_WAIT, request.tries - 1)
        request.again_at = request.tried_at + wait
    else:
        _note(request, receipt)


def _is_gone(request: Request, model: type[Model], using: str) -> bool:
    """Whether the row has ended since the request was opened, also if another has its key now."""
    pieces = [piece for piece in pieces_of(model, request.key, using) if piece[1] > request.event]
    params: dict[str, Any] = {"model": request.model, "key": request.key, "event": request.event}
    params |= {"lows": [low for low, _ in pieces], "highs": [high for _, high in pieces]}
    return bool(scalar(using, statement(__file__, "is_gone"), params))


def _refuse_restored(request: Request, using: str) -> None:
    known = RowException.objects.using(using).filter(kind="restored", policy=request.policy)
    restored = known.filter(key=request.key, event__gt=request.event).first()
    if restored:
        raise ErasureRefused(
            f"The row was restored since (event {restored.event_id}): answer the request, or open"
            " it once more under its reference."
        )


def _note(request: Request, receipt: Receipt) -> None:
    """Under way, or done; what is under way is looked at again, for it may be withdrawn."""
    request.waits_for, request.tries = receipt.waits_for, 0
    request.again_at = None
    if receipt.is_done and receipt.state != "withdrawn" and request.tried_at:
        request.done_at = receipt.ended_at or request.tried_at


def retry(using: str = DEFAULT_DB_ALIAS) -> int:
    """Try the open requests whose time has come: those that were refused after a hold was released
    and later and later, those under way for whether they are done. Returns how many were tried."""
    now, released = _moments(using)
    late = Q(again_at__lte=now) | Q(again_at__isnull=True)
    if released:
        late |= Q(tried_at__lt=released)
    found = Request.objects.using(using).filter(late, done_at=None).exclude(waits_for=RESTORED)
    tried = list(found.order_by("tried_at")[:AT_ONCE])
    for each in tried:
        try:
            try_request(each, using)
        except Exception:
            log("request_failed", f"request {each.pk}: an error", request=each.pk, database=using)
            later = {"tried_at": now, "again_at": now + FIRST_WAIT}  # the others come first
            Request.objects.using(using).filter(pk=each.pk).update(**later)
    return len(tried)


def withhold(using: str) -> int:
    """After a restore, have open requests wait for somebody: one may have been answered since.

    Not those that the ledger has under way, or done. Returns how many.
    """
    opened = Request.objects.using(using).filter(done_at=None)
    lost = [each.pk for each in opened if not _is_under_way(each, using)]
    return opened.filter(pk__in=lost).update(waits_for=RESTORED)


def _is_under_way(request: Request, using: str) -> bool:
    try:
        return any(each.state != "withdrawn" for each in receipt_of(request, using))
    except LifecycleError:  # its model is not in the code any more
        return False


def _moments(using: str) -> tuple[datetime, datetime | None]:
    now, released = fetch(using, statement(__file__, "moments"))[0]
    return now, released


def extend_request(
    number: int, reason: str, actor: str = "", using: str = DEFAULT_DB_ALIAS
) -> Request:
    """Give a request two months more, once, with a reason that the person is told."""
    with transaction.atomic(using=using):
        found = _open(number, reason, actor, using)
        if found.extended_at:
            raise LifecycleError(f"Request {number} was extended before: that is done once.")
        found.extended_at = timezone.now()
        found.extension, found.due_at = reason, deadline(found.received_at, longer=True)
        found.save(using=using)
    return found


def answer_request(
    number: int, reason: str, actor: str = "", using: str = DEFAULT_DB_ALIAS
) -> Request:
    """Close a request without an erasure: the person was told why."""
    with transaction.atomic(using=using):
        found = _open(number, reason, actor, using)
        if any(not each.is_done for each in receipt_of(found, using)):
            raise LifecycleError(f"Request {number} is under way: restore the row first.")
        found.answer, found.done_at = reason, timezone.now()
        found.save(using=using)
    return found


def receipt_of(request: Request, using: str) -> list[Receipt]:
    """The receipt of a request; none while it was refused."""
    name = row_name(model_of(request.model), request.key)
    return [each for each in receipts(request.reference, using) if each.row == name][-1:]


def _open(number: int, reason: str, actor: str, using: str) -> Request:
    if not reason.strip():
        raise LifecycleError("Say why (reason).")
    if not (actor or in_context("actor", using)):
        raise LifecycleError("Say who does this (actor).")
    found = Request.objects.using(using).select_for_update().filter(pk=number).first()
    if found is None:
        raise LifecycleError(f"There is no request {number}.")
    if found.done_at:
        raise LifecycleError(f"Request {number} is closed.")
    return found
