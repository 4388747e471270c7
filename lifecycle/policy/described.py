"""What a site says of its kinds of data, for people: the deletion concept prints it."""

from typing import Any, NamedTuple

from django.db.models import Model

from lifecycle.conf import conf
from lifecycle.exceptions import PolicyError
from lifecycle.policy.options import A_LINE


class Description(NamedTuple):
    """Of the rows of a model.

    data         which kind of data they are
    responsible  who decides about it, and answers for it
    """

    data: str
    responsible: str


_said: dict[Any, Description] = {}


def describe(model: type[Model], data: str = "", responsible: str = "") -> None:
    """Declare, in any `policies.py`, which kind of data a model has and who is responsible for it.

    Each is one line. Without it a model's data is called as the model is, and the person is that
    of the setting LIFECYCLE_RESPONSIBLE. It decides nothing. Raises `PolicyError` where both are
    empty, one is no line, or the model has been described before.
    """
    concrete: Any = getattr(getattr(model, "_meta", None), "concrete_model", None)
    if concrete is None or not isinstance(model, type):
        raise PolicyError(f"describe() takes a concrete model class, not {model!r}.")
    label = concrete._meta.label
    if concrete in _said:
        raise PolicyError(f"describe({label}) is declared twice.")
    for name, text in (("data", data), ("responsible", responsible)):
        if text != "" and not A_LINE.accepts(text):
            raise PolicyError(f"describe({label}): {name} must be {A_LINE.wanted}, not {text!r}.")
    if not data and not responsible:
        raise PolicyError(f"describe({label}) wants `data` or `responsible`.")
    _said[concrete] = Description(data, responsible)


def description(model: type[Model]) -> Description:
    """What is said of a model, with what is taken for it where nothing is said."""
    own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
    data, responsible = _said.get(own.model, Description("", ""))
    return Description(data or str(own.verbose_name_plural), responsible or conf.RESPONSIBLE)
