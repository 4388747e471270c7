"""The concept as a page, as Markdown, as CSV, and as data for JSON."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from io import StringIO
from typing import Any

from lifecycle.concept.entries import UNDECIDED, Entry
from lifecycle.printable import visible
from lifecycle.rendering import rendered

TITLE = "Deletion concept"
NOTE = (
    "Read from the policies that the site runs. The ledger of this package keeps the keys, the "
    "times and the reasons of what has ended, and no contents."
)
#: of the overview: the title of a column, and what of an entry stands in it
OVERVIEW = {
    "data": "data", "model": "model", "rule": "rule", "policy": "policy", "start": "starts",
    "period": "period", "legal basis": "basis", "responsible": "responsible",
}  # fmt: skip
#: of one entry, what the overview leaves out
DETAILS = {
    "Which rows": "rows", "End": "method", "Kept longer": "kept_by", "Places": "places",
    "Columns": "fields",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would work out a cell that begins so


def as_markdown(found: list[Entry], made: datetime) -> str:
    """A table of all, then a section for each."""
    lines = [f"# {TITLE}", "", f"{summary(found, made)} {NOTE}", ""]
    lines += _table([list(OVERVIEW), *(_overview(entry) for entry in found)])
    for entry in found:
        lines += ["", f"## {_cell(_title(entry))}", ""]
        lines += [f"- **{name}**: {_cell(text)}" for name, text in _details(entry)]
    return "\n".join(lines) + "\n"


def as_html(found: list[Entry], made: datetime) -> str:
    """A page of its own, to print or to file; nothing is fetched, every text is escaped."""
    shown = [(_title(entry), _overview(entry), _details(entry)) for entry in found]
    said = summary(found, made)
    return rendered(
        "lifecycle/concept.html",
        title=TITLE,
        summary=said,
        note=NOTE,
        columns=OVERVIEW,
        shown=shown,
    )


def as_csv(found: list[Entry]) -> str:
    """A line for each entry, with all that JSON has; what looks like a formula gets a `'`."""
    out = StringIO()
    names = [field.name for field in fields(Entry)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for entry in found:
        writer.writerow([_plain(text(getattr(entry, name))) for name in names])
    return out.getvalue()


def as_data(found: list[Entry], made: datetime) -> dict[str, Any]:
    """An object: `made`, and `entries` with what `Entry` has."""
    return {"made": made, "entries": [asdict(entry) for entry in found]}


def summary(found: list[Entry], made: datetime) -> str:
    """How many models, and of how many nobody has said when their rows end."""
    models = {entry.model for entry in found}
    counts = Counter(entry.rule for entry in found)
    decided = f"{counts[UNDECIDED]} of them undecided" if counts[UNDECIDED] else "all decided"
    return f"As of {made:%Y-%m-%d %H:%M} UTC: {len(models)} models, {decided}."


def text(value: Any) -> str:
    """What an entry says, as one text."""
    return "; ".join(value) if isinstance(value, tuple) else str(value)


def _title(entry: Entry) -> str:
    named = f": {entry.policy}" if entry.policy else ""
    state = f" ({entry.state})" if entry.state else ""
    return visible(f"{entry.model}{named}{state}")


def _overview(entry: Entry) -> list[str]:
    return [visible(text(getattr(entry, name))) for name in OVERVIEW.values()]


def _details(entry: Entry) -> list[tuple[str, str]]:
    said = ((name, visible(text(getattr(entry, each)))) for name, each in DETAILS.items())
    return [(name, each) for name, each in said if each]


def _table(rows: Iterable[list[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"| {' | '.join(map(_cell, row))} |"
        if not number:
            yield f"|{'---|' * len(row)}"


def _cell(shown: str) -> str:
    """Markdown acts on nothing of it."""
    for mark in r"\`*_[]<>|#":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


def _plain(shown: str) -> str:
    return f"'{visible(shown)}" if shown.startswith(FORMULA) else visible(shown)
