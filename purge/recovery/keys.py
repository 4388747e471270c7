"""Of which type the keys of a published event are: the store has them as text."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from lifecycle.proof.leaf import Record


def kind_of(record: Record, declared: dict[str, str]) -> str:
    """The ledger's type for the keys of an event: that of its table today, if all of them fit.

    Else, and of a table that is not known any more, the narrowest that they fit.
    """
    keys = [key for key, _ in record.subjects if key is not None]
    known = declared.get(record.model)
    if known == "text" or (known and all(_fits(key, known) for key in keys)):
        return known
    kinds = (kind for kind in ("bigint", "uuid") if all(_fits(key, kind) for key in keys))
    return next(kinds, "text")


def _fits(key: str, kind: str) -> bool:
    try:
        if kind == "bigint":
            return str(int(key)) == key and -(2**63) <= int(key) < 2**63
        return str(UUID(key)) == key
    except ValueError:
        return False


def highest_keys(records: Iterable[tuple[Record, str]]) -> dict[str, int]:
    """The highest integer key that events name, by table; each with the type of its keys."""
    highest = defaultdict[str, int](int)
    for record, kind in records:
        if kind == "bigint" and record.subjects:
            keys = (int(key) for key, _ in record.subjects if key is not None)
            highest[record.model] = max([highest[record.model], *keys])
    return {model: key for model, key in highest.items() if key > 0}
