"""Deleting what goes along with rows, table by table: those below first, then those above them.

Rows that nobody looks at, at the ends of a tree, are locked by their DELETE alone; whether one of
them was held meanwhile is asked when it is done, before anything is committed.
"""

from graphlib import CycleError
from typing import Any

from lifecycle.db.connection import set_local
from purge.batch.cascade.relations import is_heard, links
from purge.batch.cascade.sets import Below
from purge.batch.cascade.ties import is_stand_in

NO_WAIT = "1ms"  # as PostgreSQL reads it


def delete_along(found: Below) -> None:
    """Change the links of rows that stay, then delete the others.

    What is left are the roots, and of a child table the parents' part of the roots.
    """
    _change_links(found)
    _delete_unlocked(found, found.unlocked, said=is_hasty(found))
    for model in in_order(found):
        if model not in found.unlocked:
            _delete(found, model)
    found.blockers.refuse_news(found.unlocked)


def delete_unheard(found: Below) -> None:
    """The same of rows that no receiver wants to see, nor any below them."""
    _change_links(found)
    unlocked = [model for model in found.unlocked if not is_heard(model)]
    _delete_unlocked(found, unlocked, said=False)
    heard: set[Any] = set()
    for model in in_order(found):
        below = (*found.edges.get(model, ()), *found.ties.get(model, ()))
        if is_heard(model) or any(each.model in heard for each in below):
            heard.add(model)
        elif model is not found.model and not links(model) and model not in unlocked:
            _delete(found, model)
    found.blockers.refuse_news(unlocked)


def delete_parents(found: Below) -> None:
    """Delete the parents' part of the roots, which are gone."""
    for parent in found.keys.keys() & set(found.model._meta.get_parent_list()):
        found.rows(parent)._raw_delete(using=found.batch.using)


def is_anybody_listening(found: Below, *signals: Any) -> bool:
    """Whether receivers want to see rows of which some may go along, or the roots.

    Of what only the database takes along nobody is told.
    """
    models = {found.model, *found.model._meta.get_parent_list(), *found.edges, *found.collected}
    return any(is_heard(model, *signals) for model in models)


def is_hasty(found: Below) -> bool:
    """Whether nothing that goes along is locked yet: its DELETE must wait for nobody."""
    return not found.batch.patient and bool(found.unlocked) and not found.keys


def in_order(found: Below) -> list[Any]:
    """The models whose rows go along, those below first, rows of the same table last."""
    others = {found.model, *found.model._meta.get_parent_list()}
    between = [model for model in reversed(found.keys) if model not in others]
    try:
        order = list(found.before.static_order())
        between.sort(key=order.index)
    except CycleError:
        pass  # tables that refer to each other: their constraints have to be deferrable
    return [*found.ends, *between, *([found.model] if found.counts[found.model] else [])]


def _delete_unlocked(found: Below, models: list[Any], said: bool) -> None:
    """No host is waited for by a DELETE of rows that were not locked before."""
    says = bool(models) and not (said or found.batch.patient)
    if says:
        set_local(found.batch.using, lock_timeout=NO_WAIT)
    for model in models:
        _delete(found, model)
    if says:
        set_local(found.batch.using, lock_timeout=found.batch.wait)


def _delete(found: Below, model: Any) -> None:
    if found.counts[model] and not is_stand_in(model):
        found.counts[model] = found.rows(model)._raw_delete(using=found.batch.using)


def _change_links(found: Below) -> None:
    for edge, rows in found.changes:
        rows.update(**{edge.field.name: edge.value()})
