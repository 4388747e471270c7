"""Keys that are objects in Python, as a site's own fields may give them."""

from typing import Any


class Named:
    """A key that is an object in Python, and prints as something else than the database has."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        return f"<{self.value}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: "Named") -> bool:
        return bool(self.value < other.value)


def named(base: Any) -> Any:
    """A field of a site's own, whose values are objects."""

    def to_python(self: Any, value: Any) -> Any:
        if value is None or isinstance(value, Named):
            return value
        return Named(base.to_python(self, str(value).strip("<>") if value else value))

    def get_prep_value(self: Any, value: Any) -> Any:
        return value.value if isinstance(value, Named) else value

    def from_db_value(self: Any, value: Any, *args: Any) -> Any:
        return None if value is None else Named(value)

    def get_db_prep_value(self: Any, value: Any, *args: Any, **options: Any) -> Any:
        return get_prep_value(self, value)

    methods = (to_python, get_prep_value, get_db_prep_value, from_db_value)
    return type(f"Named{base.__name__}", (base,), {each.__name__: each for each in methods})
