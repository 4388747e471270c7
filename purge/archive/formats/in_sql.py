"""The values of formats, made by the database: the same as from each value's text, and quicker.

An expression for each column, by its type; None for a table with a column of a type whose values
are made from their text alone.
"""

from collections.abc import Callable, Iterator, Sequence

from lifecycle.db.connection import Placed, statement
from lifecycle.db.sql import literal
from purge.archive.formats.base import Column, exact_name
from purge.archive.formats.values import base_of, decimal_of, quoted

Quote = Callable[[str], str]

ARGUMENTS = 90  # of one call; PostgreSQL takes 100
PAIRS = 40  # of the columns that may need the further field
TIMES = ("date", "timestamp with time zone", "timestamp without time zone")
FITTING = {"date": "is_day", **dict.fromkeys(TIMES[1:], "is_moment")}
PLAIN = {"smallint": "plain", "integer": "plain", "boolean": "plain", "jsonb": "plain"}
NUMBERS = {"bigint": "big", "real": "float", "double precision": "float"}
SAFE = dict.fromkeys(
    (*TIMES, "time with time zone", "time without time zone", "uuid", "numeric", "interval",
     "inet", "cidr", "macaddr"),
    "quoted",
)  # fmt: skip
LISTS = dict.fromkeys(("smallint[]", "integer[]", "boolean[]", "double precision[]"), "list")
TEXT_LISTS = dict.fromkeys(
    (f"{name}[]" for name in ("text", "character varying", "uuid", "numeric", "jsonb", *TIMES)),
    "text_list",
)
#: whose text is the same in CSV
BARE = {*PLAIN, *NUMBERS, *SAFE} - {"jsonb"}
OF_TYPE = PLAIN | NUMBERS | SAFE | LISTS | TEXT_LISTS | {"bigint[]": "big_list"}


def json_lines(columns: Sequence[Column], quote: Quote) -> str | None:
    """SQL: a row as a JSON object, as `purge.archive.formats.json` makes it of text."""
    found = [json_value(column, quote) for column in columns]
    values = [value for value in found if value]
    documents = [column for column in columns if column.db_type == "jsonb"]
    if len(values) < len(columns) or len(documents) > PAIRS:
        return None
    names = [f"{quoted(column.name)}: " for column in columns]
    starts = [("{" if at == 0 else ", ") + name for at, name in enumerate(names)]
    nulls = [("", value) for value in _nulls(columns, documents, quote)]
    return _formatted([*zip(starts, values, strict=True), *nulls], "}")


def json_value(column: Column, quote: Quote) -> str | None:
    """SQL: the JSON of a column."""
    base = base_of(column.db_type)
    name = OF_TYPE.get(base, None if base.endswith("[]") else "text")
    return name and _part(name, column=Placed(quote(column.name)))


def _nulls(columns: Sequence[Column], documents: Sequence[Column], quote: Quote) -> Iterator[str]:
    if documents:
        names = {each.name: Placed(quote(each.name)) for each in documents}
        pairs = (
            _part("null_document", label=Placed(_literal(name)), column=column)
            for name, column in names.items()
        )
        yield _part(
            "nulls",
            documents=Placed(", ".join(names.values())),
            exact_name=Placed(_literal(quoted(exact_name(columns)))),
            pairs=Placed(", ".join(pairs)),
        )


def csv_line(columns: Sequence[Column], quote: Quote) -> str | None:
    """SQL: a row as CSV, and the texts of those values that Parquet's type does not hold.

    A NULL is nothing, an empty text is in quotes.
    """
    values: list[str] = []
    fits: dict[str, tuple[Placed, str]] = {}
    for column in columns:
        own, name = Placed(quote(column.name)), _fitting(column.db_type)
        value = _csv_value(column, own)
        if value is None:
            return None
        if name:
            fits[column.name] = own, _part(name, column=own)
            value = _part("fitting", column=own, fits=Placed(fits[column.name][1]))
        values.append(value)
    if len(fits) > PAIRS:
        return None
    last = _unfitting(fits)
    return _formatted([*(("," if at else "", each) for at, each in enumerate(values)), (",", last)])


def _fitting(db_type: str) -> str:
    """The condition under which Parquet's type holds a value; '' where all fit."""
    return "is_number" if decimal_of(db_type) else FITTING.get(base_of(db_type), "")


def _csv_value(column: Column, own: Placed) -> str | None:
    base = base_of(column.db_type)
    if not base.endswith("[]"):
        text = str(own) if base == "boolean" else f"{own}::text"  # an inet shows its mask so alone
        return text if base in BARE else _part("in_quotes", value=Placed(text))
    name = OF_TYPE.get(base)
    value = name and _part("unless_null", column=own, value=Placed(_part(name, column=own)))
    return value and _part("in_quotes", value=Placed(value))


def _unfitting(fits: dict[str, tuple[Placed, str]]) -> str:
    if not fits:
        return "''"
    pairs = (
        _part("unfitting_value", label=Placed(_literal(name)), column=own, fits=Placed(condition))
        for name, (own, condition) in fits.items()
    )
    any_of_them = " OR ".join(f"NOT ({condition})" for _, condition in fits.values())
    told = _part("unfitting", any=Placed(any_of_them), pairs=Placed(", ".join(pairs)))
    return _part("in_quotes", value=Placed(told))


def _formatted(pieces: list[tuple[str, str]], end: str = "") -> str:
    """SQL: values as one text, each after a text of its own; a NULL is nothing."""
    parts = [pieces[at : at + ARGUMENTS] for at in range(0, len(pieces), ARGUMENTS)]
    return " || ".join([*map(_format, parts), *([_literal(end)] if end else [])])


def _format(pieces: list[tuple[str, str]]) -> str:
    template = "".join(f"{before.replace('%', '%%')}%s" for before, _ in pieces)
    return f"format({', '.join([_literal(template), *(value for _, value in pieces)])})"


def _part(name: str, **parts: Placed) -> str:
    return statement(__file__, name, **parts).strip()


def _literal(text: str) -> str:
    return literal(text).replace("%", "%%")
