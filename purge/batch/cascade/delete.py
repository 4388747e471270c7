"""Deleting rows that are locked and were looked at.

One statement where nothing goes along; sets of rows, table by table, where nobody wants to see
them (`below`); Django's collector where receivers do, or where only it knows what `on_delete`
means. The DELETE trigger records what goes; the setting that says it is the runner is reset right
after.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models.deletion import Collector
from django.db.models.signals import pre_delete

from lifecycle.db.connection import fetch
from purge.batch.announce import _announce, announced
from purge.batch.cascade.account import cascaded_alone, counted, told_along
from purge.batch.cascade.collector import Collected, collect, with_tied
from purge.batch.cascade.order import (
    NO_WAIT,
    delete_along,
    delete_parents,
    delete_unheard,
    is_anybody_listening,
    is_hasty,
)
from purge.batch.cascade.python_keys import as_stored
from purge.batch.cascade.sets import Below, below
from purge.batch.cascade.ties import refuse_new, tied
from purge.batch.keys import keys_of
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch

CHECK = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


def end_rows(batch: "Batch", subjects: Subjects) -> None:
    """Delete the rows; deferred constraints are checked here, not at the commit.

    Afterwards they are deferred again: another part of the batch may have rows whose order of
    deletion only that allows.
    """
    model: Any = batch.policy.model._meta.concrete_model
    rows = model._base_manager.using(batch.using).all()
    if not tied(batch, model) and Collector(using=batch.using).can_fast_delete(rows):
        batch.along = cascaded_alone(batch, model, subjects)
        with announced(batch, subjects, **batch.along):
            _delete(batch, subjects)
    else:
        _end_with_others(batch, model, subjects)
    fetch(batch.using, CHECK)
    refuse_new(batch, model)


def look_along(batch: "Batch", model: Any, subjects: Subjects) -> Below | Collected:
    """Lock what goes along with locked rows; raises what says that a row cannot go."""
    found = below(batch, model, subjects)
    if found:
        return found
    return with_tied(batch, collect(batch, model, keys_of(batch, subjects)), model)


def _end_with_others(batch: "Batch", model: Any, subjects: Subjects) -> None:
    """Rows of the same table that go along go first, so that the ledger can tell them apart.

    A dry run ends before the first row goes: receivers may do what no rollback takes back.
    """
    found = look_along(batch, model, subjects)
    batch.along = told_along(batch, found, subjects)
    batch.outcome.along += sum(found.counts.values())
    batch.outcome.fresh += found.counts[model]  # a tree must not be past the cap by its root
    if batch.dry:
        return
    if isinstance(found, Collected):
        _delete_collected(batch, model, subjects, found)
        if found.tied:
            found.tied.blockers.refuse_news(found.tied.unlocked)
    elif is_anybody_listening(found):
        if not is_anybody_listening(found, pre_delete):  # those are sent before the first row goes
            with announced(batch, replace(subjects, event=None), cause="cascade"):
                delete_unheard(found)
        seen = collect(batch, model, keys_of(batch, subjects))
        _delete_collected(batch, model, subjects, seen)
        found.blockers.refuse_news(found.unlocked)
    else:
        _delete_sets(batch, subjects, found)


def _delete_sets(batch: "Batch", subjects: Subjects, found: Below) -> None:
    before, after = (NO_WAIT, batch.wait) if is_hasty(found) else (None, None)
    _announce(batch, replace(subjects, event=None), before, cause="cascade")
    delete_along(found)
    batch.along |= counted(found)  # rows that were not locked before may have gone meanwhile
    with announced(batch, subjects, after, **batch.along):
        _delete(batch, subjects)
        delete_parents(found)


def _delete_collected(batch: "Batch", model: Any, subjects: Subjects, found: Collected) -> None:
    """What the collector itself deletes is never said by its event: it deletes in parts, and a
    receiver may delete other rows of the table meanwhile."""
    keys = found.keys
    if found.own:
        own = subjects.written(as_stored(model, found.own, batch.using))
        with announced(batch, own, cause="cascade"):
            collect(batch, model, found.own).collector.delete()
        found = collect(batch, model, keys)
    with announced(batch, subjects.written(as_stored(model, keys, batch.using)), **batch.along):
        found.collector.delete()


def _delete(batch: "Batch", subjects: Subjects) -> None:
    text = batch.sql(__file__, "delete", rows=subjects.where(batch.column))
    fetch(batch.using, text, batch.params(subjects))
