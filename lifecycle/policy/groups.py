"""What keeps the newest or the oldest rows of each group: conditions for `keep_while`."""

from collections.abc import Iterable
from typing import Any, Self

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Field, Model

from lifecycle.exceptions import PolicyError, did_you_mean
from lifecycle.policy.capture_modes import Capture, Rows

MOST = 1_000  # rows of a group that are kept, each of which is locked while an older one ends


class KeepNewest:
    """Keeps a row while fewer than `n` newer rows of its group are there.

    n     how many rows of each group are kept: 1 to 1,000
    per   the fields, or field, of the model's own table that make a group. Default: all is one
    by    the field of the model's own table by which rows are newer; of equal ones the higher key
          is. Default: the table's first `auto_now_add` field

    Rows count that match the policy's `when`, held and restored ones too. A row of no group (some
    field of `per` is NULL), or of no time, is kept and counts for no other. While a row ends,
    the `n` newer ones are locked: none of them can be deleted or moved meanwhile. Alone, or one of
    several conditions by name; needs `capture=Rows()`.
    """

    conditional = True  # a condition, to `keep_while`
    newest = True

    def __init__(
        self, n: int, per: str | Iterable[str] | None = None, by: str | None = None
    ) -> None:
        if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST:
            raise PolicyError(f"{self._name} keeps 1 to {MOST:,} rows of a group, not {n!r}.")
        self.n, self.by = n, by
        self.per = (per,) if isinstance(per, str) else tuple(per or ())
        for name in (*self.per, *((by,) if by is not None else ())):
            if not isinstance(name, str):
                raise PolicyError(f"{self._name} takes names of fields, not {name!r}.")

    @property
    def _name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        return f"{self._name}({self.n}, per={self.per}, by={self.by!r})"

    def declaration(self) -> tuple[object, ...]:
        return (self._name, self.n, self.per, self.by)

    def get_source_expressions(self) -> list[Any]:
        """The columns that it reads: a renamed one makes another declaration."""
        return [F(name) for name in (*self.per, *((self.by,) if self.by else ()))]

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: only the policy knows which rows count."""
        raise PolicyError(f"{self} stands alone, or as one of several conditions by name.")

    def bound(self, policy: str, model: type[Model], capture: Capture, on_request: bool) -> Self:
        """With the field that is taken for `by`; raises `PolicyError` where it cannot be."""
        own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
        for wrong, why in (
            (type(capture) is not Rows, "needs capture=Rows(), which sees each row that comes"),
            (
                on_request,
                "and on_request=True do not go together: rows end when they are asked for",
            ),
            (own.parents, "needs a table of its own, and this model's columns are in several"),
        ):
            if wrong:
                raise PolicyError(f"Policy {policy!r}: {self._name} {why}.")
        by = self.by or next((f.name for f in own.local_concrete_fields if _is_stamp(f)), None)
        if by is None:
            raise PolicyError(
                f"Policy {policy!r}: {self._name} needs `by`, the field of its order."
            )
        fields = [_field(policy, self._name, own, name) for name in (*self.per, by)]
        return type(self)(self.n, [field.name for field in fields[:-1]], fields[-1].name)

    def columns(self, model: type[Model]) -> tuple[list[str], str]:
        """The columns of `per`, and that of `by`."""
        own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
        return [own.get_field(name).column for name in self.per], own.get_field(self.by).column


class KeepOldest(KeepNewest):
    """Keeps a row while fewer than `n` older rows of its group are there; else as `KeepNewest`."""

    newest = False


def _is_stamp(field: "Field[Any, Any]") -> bool:
    return bool(getattr(field, "auto_now_add", False))


def _field(policy: str, rule: str, own: Any, name: str) -> Any:
    """A column of the model's own table, by its field's name or its `_id`."""
    fields = {f.name: f for f in own.local_concrete_fields}
    found = fields.get(name) or next((f for f in fields.values() if f.attname == name), None)
    try:
        found = found or own.get_field(name)
    except FieldDoesNotExist:
        hint = did_you_mean(name, tuple(fields))
        raise PolicyError(f"Policy {policy!r}: {rule} knows no field {name!r}.{hint}") from None
    if found not in own.local_concrete_fields:
        raise PolicyError(f"Policy {policy!r}: {rule} reads the table's own columns, not {name!r}.")
    return found
