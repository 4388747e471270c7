"""Delete rows that are locked and were evaluated, with what goes along.

One statement where nothing goes along; sets of rows, table by table, those below first, where no
receiver wants to see them (`find_cascade`); Django's collector where receivers do, or where only it
knows what `on_delete` means. The DELETE trigger records what goes, under what was announced to it.

Rows that nobody looks at, at the ends of a tree, are locked by their DELETE alone; whether one of
them was held meanwhile is asked when it is done, before anything is committed.
"""

from dataclasses import replace
from graphlib import CycleError
from typing import Any

from django.db.models.deletion import Collector
from django.db.models.signals import pre_delete

from lifecycle.db.connection import Placed, Query, changed, fetch_each, set_local
from lifecycle.db.rows import every_row
from purge.batch.announced import announce, announced, announcement, no_more
from purge.batch.cascade.account import cascade_detail, counted, media_alone
from purge.batch.cascade.after import ask_after, refuse_after, refuse_left
from purge.batch.cascade.collector import Collected, collect, with_tied
from purge.batch.cascade.python_keys import as_texts
from purge.batch.cascade.relations import is_heard, links
from purge.batch.cascade.sets import CascadeSets, find_cascade
from purge.batch.cascade.ties import is_stand_in, tied
from purge.batch.savepoint import begin
from purge.batch.state import Batch, keys_of
from purge.batch.subjects import Passing, Subjects
from purge.exceptions import NotAlike, NotDeleted, WrittenBelow

NO_WAIT = "1ms"  # as PostgreSQL reads it


def goes_alone(batch: Batch) -> bool:
    """Whether nothing goes along with rows of the policy's table, and no receiver sees them."""
    model: Any = batch.policy.model._meta.concrete_model
    rows = every_row(model, batch.using)
    return not tied(batch, model) and Collector(using=batch.using).can_fast_delete(rows)


def end_rows(batch: Batch, subjects: Subjects, passing: Passing | None = None) -> None:
    """Delete the rows; deferred constraints are checked here, not at the commit.

    Afterwards they are deferred again: another part of the batch may have rows whose order only
    that allows. With `passing`, a condition on rows that go alone, all of them go or none.

    Raises `NotDeleted` where a row is still there afterwards, `NotAlike` where one does not pass,
    `Unrecorded` where no trigger has seen them go, `Halt` where keys are not unique.
    """
    model: Any = batch.policy.model._meta.concrete_model
    if passing or goes_alone(batch):
        batch.cascaded = media_alone(batch, model, subjects)
        _end_alone(batch, model, subjects, passing)
    else:
        gone = {model, *_end_with_others(batch, model, subjects)}
        refuse_after(batch, subjects, fetch_each(batch.using, *ask_after(batch, gone)))


def _end_alone(batch: Batch, model: Any, subjects: Subjects, passing: Passing | None) -> None:
    """Sent together, for nothing has to be decided in between: on an error all of it is undone."""
    told = announcement(batch, subjects, **batch.cascaded)
    before = begin(batch) if passing else []
    queries = (told, _deletion(batch, subjects, passing), no_more(), *ask_after(batch, {model}))
    _, deleted, _, *answers = fetch_each(batch.using, *before, *queries)[len(before) :]
    _refuse_fewer(batch, subjects, passing, deleted.number)
    refuse_after(batch, subjects, answers)


def lock_along(batch: Batch, model: Any, subjects: Subjects) -> CascadeSets | Collected:
    """Lock what goes along with locked rows; raises what says that a row cannot go."""
    found = find_cascade(batch, model, subjects)
    if found:
        return found
    return with_tied(batch, collect(batch, model, keys_of(batch, subjects)), model)


def _end_with_others(batch: Batch, model: Any, subjects: Subjects) -> set[Any]:
    """Rows of the same table that go along go first, with an event of their own.

    Returns the models of rows that went along; a dry run ends before the first one goes.
    """
    found = lock_along(batch, model, subjects)
    batch.cascaded = cascade_detail(batch, found, subjects)
    batch.outcome.cascaded += sum(found.counts.values())
    batch.keyed |= {each for each in keyed(found) if not is_stand_in(each)}
    batch.outcome.fresh += found.counts[model]  # a tree must not be past the cap by its root
    if batch.dry:
        return set()  # receivers may do what no rollback takes back
    if isinstance(found, Collected):
        _delete_collected(batch, model, subjects, found)
        if found.tied:
            found.tied.blockers.refuse_new_holds(found.tied.unlocked)
    elif is_anybody_listening(found):
        if not is_anybody_listening(found, pre_delete):  # those are sent before the first row goes
            with announced(batch, replace(subjects, event=None), cause="cascade"):
                delete_unheard(found)
        seen = collect(batch, model, keys_of(batch, subjects))
        _delete_collected(batch, model, subjects, seen)
        found.blockers.refuse_new_holds(found.unlocked)
    else:
        _delete_sets(batch, subjects, found)
    return {each for each in +found.counts if not is_stand_in(each)}


def _delete_sets(batch: Batch, subjects: Subjects, found: CascadeSets) -> None:
    before, after = (NO_WAIT, batch.wait) if is_hasty(found) else (None, None)
    announce(batch, replace(subjects, event=None), before, cause="cascade")
    delete_along(found)
    batch.cascaded |= counted(found)  # rows that were not locked before may have gone meanwhile
    with announced(batch, subjects, after, **batch.cascaded):
        _delete(batch, subjects)
        delete_parents(found)


def _delete_collected(batch: Batch, model: Any, subjects: Subjects, found: Collected) -> None:
    """Delete by Django's collector. The event never shares the set of `subjects`: the collector
    deletes in parts, and a receiver may delete other rows of the table meanwhile."""
    keys = found.keys
    if found.own:
        own = subjects.written(as_texts(model, found.own))
        with announced(batch, own, cause="cascade"):
            collect(batch, model, found.own).collector.delete()
        found = collect(batch, model, keys)
    rows = subjects.written(as_texts(model, keys))
    with announced(batch, rows, **batch.cascaded):
        found.collector.delete()
    refuse_left(batch, rows)


def _delete(batch: Batch, subjects: Subjects) -> None:
    query = _deletion(batch, subjects)
    _refuse_fewer(batch, subjects, None, changed(batch.using, *query))


def _deletion(batch: Batch, subjects: Subjects, passing: Passing | None = None) -> Query:
    rows, params = subjects.where(batch.column), batch.params(subjects)
    if passing:
        rows, params = Placed(f"{rows} AND {passing.condition}"), params | passing.params
    return Query(batch.sql(__file__, "delete", rows=rows), params)


def _refuse_fewer(batch: Batch, subjects: Subjects, passing: Passing | None, deleted: int) -> None:
    """What a DELETE says is compared with the locked rows: a trigger, or a rule, may change it."""
    if deleted != subjects.count:
        if passing:
            raise NotAlike
        refuse_left(batch, subjects)


def delete_along(found: CascadeSets) -> None:
    """Change the links of rows that stay, then delete the others.

    What is left are the roots, and of a child table the parents' part of the roots.
    """
    _change_links(found)
    _delete_unlocked(found, found.unlocked, is_announced=is_hasty(found))
    for model in in_order(found):
        if model not in found.unlocked:
            _delete_rows(found, model)
    found.blockers.refuse_new_holds(found.unlocked)


def delete_unheard(found: CascadeSets) -> None:
    """As `delete_along`, only rows that no receiver wants to see, nor any below them."""
    _change_links(found)
    unlocked = [model for model in found.unlocked if not is_heard(model)]
    _delete_unlocked(found, unlocked, is_announced=False)
    heard: set[Any] = set()
    for model in in_order(found):
        below = (*found.edges.get(model, ()), *found.ties.get(model, ()))
        if is_heard(model) or any(each.model in heard for each in below):
            heard.add(model)
        elif model is not found.model and not links(model) and model not in unlocked:
            _delete_rows(found, model)
    found.blockers.refuse_new_holds(unlocked)


def delete_parents(found: CascadeSets) -> None:
    """Delete the parents' part of the roots, which are gone."""
    for parent in found.keys.keys() & set(found.model._meta.get_parent_list()):
        found.rows(parent)._raw_delete(using=found.batch.using)
        if found.rows(parent).exists():
            raise NotDeleted


def keyed(found: CascadeSets | Collected) -> set[Any]:
    """The models of which rows go along by their own keys, not by those that they refer to."""
    if isinstance(found, CascadeSets):
        return set(found.keys)
    return {*found.collector.data, *(keyed(found.tied) if found.tied else ())}


def is_anybody_listening(found: CascadeSets, *signals: Any) -> bool:
    """Whether receivers want to see rows of which some may go along, or the roots.

    No receiver hears of what only the database takes along.
    """
    models = {found.model, *found.model._meta.get_parent_list(), *found.edges, *found.collected}
    return any(is_heard(model, *signals) for model in models)


def is_hasty(found: CascadeSets) -> bool:
    """Whether nothing that goes along is locked yet: its DELETE must wait for nobody."""
    return not found.batch.patient and bool(found.unlocked) and not found.keys


def in_order(found: CascadeSets) -> list[Any]:
    """The models whose rows go along, those below first, rows of the same table last."""
    others = {found.model, *found.model._meta.get_parent_list()}
    between = [model for model in reversed(found.keys) if model not in others]
    try:
        order = list(found.before.static_order())
        between.sort(key=order.index)
    except CycleError:
        pass  # tables that refer to each other: their constraints have to be deferrable
    return [*found.ends, *between, *([found.model] if found.counts[found.model] else [])]


def _delete_unlocked(found: CascadeSets, models: list[Any], is_announced: bool) -> None:
    """No host is waited for by a DELETE of rows that were not locked before."""
    shortens = bool(models) and not (is_announced or found.batch.patient)
    if shortens:
        set_local(found.batch.using, lock_timeout=NO_WAIT)
    for model in models:
        _delete_rows(found, model)
    if shortens:
        set_local(found.batch.using, lock_timeout=found.batch.wait)


def _delete_rows(found: CascadeSets, model: Any) -> None:
    if found.counts[model] and not is_stand_in(model):
        found.counts[model] = _raw_delete(found, model)


def _raw_delete(found: CascadeSets, model: Any) -> int:
    gone = int(found.rows(model)._raw_delete(using=found.batch.using))
    if gone < found.counts[model] and found.rows(model).exists():
        raise NotDeleted
    if gone > found.counts[model] and found.batch.planned_at:  # no foreign key has kept them out
        raise WrittenBelow
    return gone


def _change_links(found: CascadeSets) -> None:
    for edge, rows in found.changes:
        rows.update(**{edge.field.name: edge.value()})
