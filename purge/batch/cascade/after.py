"""What is asked when rows have been deleted, before anything is committed.

Deferred constraints; whether a trigger has told of the rows; whether some row is there after all;
whether a tie has come since; whether keys are unique. The DELETE has its lock on the tables: what
is found then holds to the commit.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connections

from lifecycle.db.connection import Answer, Query, scalar
from purge.batch.brakes import ask_shared_keys, refuse_shared_keys
from purge.batch.cascade.ties import ask_new, refuse_new
from purge.batch.state import Batch
from purge.batch.subjects import Subjects
from purge.batch.unrecorded import refuse_unrecorded, watched
from purge.exceptions import NotDeleted

#: afterwards they are deferred again: another part of the batch may have rows whose order needs it
CHECK = (Query("SET CONSTRAINTS ALL IMMEDIATE"), Query("SET CONSTRAINTS ALL DEFERRED"))


def ask_after(batch: Batch, gone: Iterable[Any]) -> list[Query]:
    """The questions for `refuse_after`; `gone`: the models of which rows have gone."""
    written = connections[batch.using].ops.quote_name(batch.code.tables[0])
    params = {"written": written, **watched(batch.using, gone)}
    after = Query(batch.sql(__file__, "after"), params)
    new = ask_new(batch, batch.policy.model._meta.concrete_model)
    return [*CHECK, after, new, ask_shared_keys(batch, batch.keyed)]


def refuse_after(batch: Batch, subjects: Subjects, answers: list[Answer]) -> None:
    """Raise what says that the rows may not have gone: `Unrecorded`, `NotDeleted`, `TiedMeanwhile`
    or `Halt`."""
    *_, after, new, shared = (answer.rows for answer in answers)
    ((has_triggers, unrecorded),), ((is_tied,),) = after, new
    if not batch.dry:
        refuse_unrecorded(unrecorded)
        if has_triggers:  # one may have written a row again, which would be due, and end, for ever
            refuse_left(batch, subjects)
    refuse_new(batch, batch.policy.model._meta.concrete_model, is_tied)
    refuse_shared_keys(shared)


def refuse_left(batch: Batch, subjects: Subjects) -> None:
    """Raise `NotDeleted` where a row of the set is still there."""
    text = batch.sql(__file__, "is_left", rows=subjects.where(batch.column))
    if scalar(batch.using, text, batch.params(subjects)):
        raise NotDeleted
