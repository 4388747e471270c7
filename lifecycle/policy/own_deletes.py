"""Models that delete in a way of their own, which an ending does not go through.

Rows end in sets: by one DELETE, or by Django's collector with its signals. Neither calls
`Model.delete()`, as Django's own `QuerySet.delete()` and cascades do not, nor the `delete()` of a
queryset of the model's. What a site does there (set a column instead, mend a tree) does not happen.
"""

from typing import Any

from django.db.models import Model, QuerySet

from lifecycle.exceptions import PolicyError

_ignored: set[type[Model]] = set()


def ignore_delete(model: type[Model]) -> None:
    """Declare, in `<app>/policies.py`, that rows may end past the model's own `delete()`.

    For check W048, which asks nothing of the model from then on. Raises `PolicyError` for what has
    no `delete()` of its own, so that a declaration that is of no more use is found.
    """
    concrete: Any = getattr(getattr(model, "_meta", None), "concrete_model", None)
    if concrete is None or not isinstance(model, type):
        raise PolicyError(f"ignore_delete() takes a concrete model class, not {model!r}.")
    if not own_deletes(concrete):
        raise PolicyError(f"ignore_delete({concrete._meta.label}): it has no delete() of its own.")
    _ignored.add(concrete)


def ignored() -> set[type[Model]]:
    """The models of which the own `delete()` is to be passed by."""
    return set(_ignored)


def own_deletes(model: Any) -> list[str]:
    """The deletes of a model, of its proxies and of their querysets that are not Django's."""
    family = _family(model)
    found = {_named(each) for each in family if each.delete is not Model.delete}
    kinds = {_rows_of(manager) for each in family for manager in each._meta.managers}
    return sorted(found | {_named(kind) for kind in kinds if kind.delete is not QuerySet.delete})


def _family(model: Any) -> list[Any]:
    """The model and its proxies, whose deletes are of the same rows."""
    proxies = [each for each in model.__subclasses__() if hasattr(each, "_meta")]
    return [model, *(p for p in proxies if p._meta.proxy and not p._meta.abstract)]


def _rows_of(manager: Any) -> Any:
    """The class of the querysets that a manager gives."""
    try:
        return type(manager.get_queryset())
    except Exception:  # the site's own code, which may want what a check does not have
        return getattr(manager, "_queryset_class", QuerySet)


def _named(kind: type[Any]) -> str:
    """The `delete` of a class, by the class that defines it, as people import it."""
    home = next(each for each in kind.__mro__ if "delete" in vars(each))
    return f"{home.__module__}.{home.__qualname__}.delete"
