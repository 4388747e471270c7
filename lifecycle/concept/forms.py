"""The concept as a page, as Markdown, as CSV, and as data for JSON."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from io import StringIO
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from lifecycle.concept.entries import ALONG, ENDS, KEPT, REST, UNDECIDED, Entry
from lifecycle.phrases import to_the_minute, translated, word
from lifecycle.printable import visible
from lifecycle.rendering import rendered

TITLE = _("Deletion concept")
NOTE = _(
    "Read from the policies that the site runs. The ledger of this package keeps the keys, the "
    "times and the reasons of what has ended, and no contents."
)
#: of the overview: the title of a column, and what of an entry stands in it
OVERVIEW = {
    _("data"): "data", _("model"): "model", _("rule"): "rule", _("policy"): "policy",
    _("start"): "starts", _("period"): "period", _("legal basis"): "basis",
    _("responsible"): "responsible",
}  # fmt: skip
#: of one entry, what the overview leaves out
DETAILS = {
    _("Which rows"): "rows", _("End"): "method", _("Kept longer"): "kept_by",
    _("Places"): "places", _("Columns"): "fields",
}  # fmt: skip
RULES = {
    ENDS: _("ends"), ALONG: _("goes along"), REST: _("no end"), KEPT: _("kept"),
    UNDECIDED: _("undecided"),
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would work out a cell that begins so


def as_markdown(found: list[Entry], made: datetime) -> str:
    """A table of all, then a section for each."""
    lines = [f"# {gettext(TITLE)}", "", f"{summary(found, made)} {gettext(NOTE)}", ""]
    lines += _table([_columns(), *(_overview(entry) for entry in found)])
    for entry in found:
        lines += ["", f"## {_cell(_title(entry))}", ""]
        lines += [f"- **{name}**: {_cell(text)}" for name, text in _details(entry)]
    return "\n".join(lines) + "\n"


def as_html(found: list[Entry], made: datetime) -> str:
    """A page of its own, to print or to file; nothing is fetched, every text is escaped."""
    shown = [
        (_title(entry), _overview(entry), _details(entry), entry.rule == UNDECIDED)
        for entry in found
    ]
    return rendered(
        "lifecycle/concept.html",
        title=gettext(TITLE),
        summary=summary(found, made),
        note=gettext(NOTE),
        columns=_columns(),
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
    about = {"time": translated(to_the_minute(made)), "models": len(models)}
    if not counts[UNDECIDED]:
        text = ngettext(
            "As of %(time)s: %(models)s models, all decided.",
            "As of %(time)s: %(models)s models, all decided.",
            len(models),
        )
        return text % about
    text = ngettext(
        "As of %(time)s: %(models)s models, %(undecided)s of them undecided.",
        "As of %(time)s: %(models)s models, %(undecided)s of them undecided.",
        len(models),
    )
    return text % (about | {"undecided": counts[UNDECIDED]})


def text(value: Any) -> str:
    """What an entry says, as one text; English."""
    return "; ".join(value) if isinstance(value, tuple) else str(value)


def said(entry: Entry, name: str) -> str:
    """The same in the active language."""
    value = getattr(entry, name)
    if name == "rule":
        return gettext(RULES[value])
    return "; ".join(map(translated, value)) if isinstance(value, tuple) else translated(value)


def _columns() -> list[str]:
    return [gettext(name) for name in OVERVIEW]


def _title(entry: Entry) -> str:
    named = f": {entry.policy}" if entry.policy else ""
    state = f" ({translated(word(entry.state))})" if entry.state else ""
    return visible(f"{entry.model}{named}{state}")


def _overview(entry: Entry) -> list[str]:
    return [visible(said(entry, name)) for name in OVERVIEW.values()]


def _details(entry: Entry) -> list[tuple[str, str]]:
    told = ((gettext(name), visible(said(entry, each))) for name, each in DETAILS.items())
    return [(name, each) for name, each in told if each]


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
