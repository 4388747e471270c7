"""Opening a request for erasure, extending its deadline, answering it otherwise.

Each of these is an event, and the events are what counts; the row is made of them.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from lifecycle.compiler.keys import key_text, label_of_model
from lifecycle.db.connection import DENIED, sqlstate
from lifecycle.db.rows import home_of
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.row_names import ledger_key
from lifecycle.ledger.write import refuse_singly, write
from lifecycle.phrases import phrase
from purge.erasure.refusals import check, policy_for
from purge.models import Request
from purge.passes.override import seconds
from purge.requests.deadlines import EARLIEST, deadline
from purge.requests.told import project, say, told_of
from purge.requests.tries import UNTOLD, as_told, ask_again
from purge.requests.tries import receipt_of as receipt_of
from purge.requests.tries import retry as retry
from purge.requests.tries import try_request as try_request


def request_erasure(
    obj: Model, reference: str, received: datetime | None = None, grace: timedelta | None = None,
    policy: str | None = None, actor: str = "", using: str | None = None,
) -> Request:  # fmt: skip
    """Open a request for a row's erasure, due a month after it was `received`, and try it now.

    Not inside a transaction. Options and refusals are those of `erase`; but where a hold, another
    row or a stopped policy keeps the row, the request stays open and a worker tries it again; so it
    does where this process's role may not erase. The same reference and row again: the same
    request, and what was restored meanwhile is asked for once more.
    """
    model: Any = obj._meta.concrete_model
    using = using or home_of(obj)
    return request_key(
        model, key_text(model, obj.pk), reference, received, grace, policy, actor, using
    )


def request_key(
    model: type[Model], key: str, reference: str, received: datetime | None,
    grace: timedelta | None, policy: str | None, actor: str, using: str, cause: str = "",
) -> Request:  # fmt: skip
    """As `request_erasure`, of a row by its key; `cause` of its events, else the context's."""
    refuse_singly(model)
    chosen = policy_for(model, policy)
    actor = actor or in_context("actor", using)
    check(chosen, reference, grace, actor)
    now = timezone.now()
    received = received or now
    if received > now:
        raise LifecycleError(phrase("A request cannot have been received in the future."))
    if received < EARLIEST:
        raise LifecycleError(
            phrase("A request cannot have been received before %(year)s.", year=EARLIEST.year)
        )
    named = {"reference": reference, "model": label_of_model(model)}
    named["key"] = ledger_key(model, key, using)
    known = Request.objects.using(using).filter(**named)
    found = known.first()
    if found and told_of(found.pk, using) is None:  # nobody has opened it: see `told`
        found.delete()
        found = None
    if found:
        ask_again(found, actor, using, cause)
    else:
        try:
            about = (received, grace, actor, cause or in_context("cause", using))
            found = _open_new(model, named, chosen.name, *about, using)
        except IntegrityError:  # somebody else was first
            found = known.get()
    try:
        return try_request(found, using, cause=cause)
    except DatabaseError as error:
        if sqlstate(error) != DENIED:
            raise
    known.filter(done_at=None).update(again_at=None)  # a worker may, and tries it at its next look
    found.refresh_from_db(using=using)
    return found


def _open_new(
    model: type[Model], named: dict[str, str], policy: str, received: datetime,
    grace: timedelta | None, actor: str, cause: str, using: str,
) -> Request:  # fmt: skip
    said: dict[str, Any] = {"step": "opened", "reference": named["reference"]}
    said |= {"received": received.isoformat(), "deadline": deadline(received).isoformat()}
    said |= {} if grace is None else {"grace": seconds(grace)}
    of: dict[str, Any] = {
        "policy": policy,
        "model": named["model"],
        "key": named["key"],
        "of": model,
    }
    with transaction.atomic(using=using), context(actor, cause, using):
        number = write("requested", using, **of, detail=said)
        project(using, [number])
    return Request.objects.using(using).get(pk=number)


def extend_request(
    number: int, reason: str, actor: str = "", using: str = DEFAULT_DB_ALIAS
) -> Request:
    """Give a request 90 days in all, or the law's three months where those are shorter, once, with
    a reason that the person is told."""
    with transaction.atomic(using=using):
        found, who = _open(number, reason, actor, using)
        if found.extended_at:
            raise LifecycleError(
                phrase("Request %(number)s was extended before: that is done once.", number=number)
            )
        due = deadline(found.received_at, longer=True).isoformat()
        return say(found, "extended", who, using, reason=reason, deadline=due)


def answer_request(
    number: int, reason: str, actor: str = "", using: str = DEFAULT_DB_ALIAS
) -> Request:
    """Close a request without an erasure: the person was told why."""
    with transaction.atomic(using=using):
        found, who = _open(number, reason, actor, using)
        if any(not each.is_done for each in receipt_of(found, using)):
            raise LifecycleError(
                phrase("Request %(number)s is under way: restore the row first.", number=number)
            )
        return say(found, "answered", who, using, reason=reason)


def _open(number: int, reason: str, actor: str, using: str) -> tuple[Request, str]:
    """An open request, locked, as its events say; and who acts."""
    who = actor or in_context("actor", using)
    if not reason.strip():
        raise LifecycleError(phrase("Say why (reason)."))
    if not who:
        raise LifecycleError(phrase("Say who does this (actor)."))
    try:
        found, told = as_told(number, using)
    except Request.DoesNotExist:
        raise LifecycleError(phrase("There is no request %(number)s.", number=number)) from None
    if told is None:
        raise LifecycleError(
            phrase("Request %(number)s: %(untold)s.", number=number, untold=UNTOLD)
        )
    if found.done_at:
        raise LifecycleError(phrase("Request %(number)s is closed.", number=number))
    return found, who
