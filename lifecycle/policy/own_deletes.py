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
    own = {each for each in _family(model) if each.delete is not Model.delete}
    found = {f"{_home(each, 'delete')}.delete" for each in own}
    for each in _family(model):
        for manager in each._meta.managers:
            found |= _of_rows(manager)
    return sorted(found)


def _family(model: Any) -> list[Any]:
    """The model and its proxies, whose deletes are of the same rows."""
    proxies = [each for each in model.__subclasses__() if hasattr(each, "_meta")]
    return [model, *(p for p in proxies if p._meta.proxy and not p._meta.abstract)]


def _of_rows(manager: Any) -> set[str]:
    """The `delete` of the querysets that a manager gives, where it is not Django's."""
    try:
        kind = type(manager.get_queryset())
    except Exception:  # the site's own code, which may want what a check does not have
        kind = getattr(manager, "_queryset_class", QuerySet)
    if kind.delete is QuerySet.delete:
        return set()
    return {f"{_home(kind, 'delete')}.delete"}


def _home(kind: type[Any], name: str) -> str:
    """The class that defines a method, as people import it."""
    home = next(each for each in kind.__mro__ if name in vars(each))
    return f"{home.__module__}.{home.__qualname__}"
