"""Charts as numbers for an SVG that the server draws: no script, no style of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from lifecycle.insight.days import Days
from lifecycle.phrases import counted, number, on, phrase

#: by kind: what stands above a chart; what it says without rows, and with some
NAMES = {
    "tombstoned": phrase("Tombstoned"),
    "purged": phrase("Purged"),
    "updated": phrase("Updated"),
    "archived": phrase("Archived"),
    "restored": phrase("Restored"),
    "end": phrase("End"),
}
SAYS: dict[str, tuple[str, Callable[..., str]]] = {
    "tombstoned": (
        phrase("No rows tombstoned in these days."),
        lambda total, **about: counted(
            "%(rows)s rows tombstoned; the most, %(most)s, on %(day)s.",
            "%(rows)s rows tombstoned; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
    "purged": (
        phrase("No rows purged in these days."),
        lambda total, **about: counted(
            "%(rows)s rows purged; the most, %(most)s, on %(day)s.",
            "%(rows)s rows purged; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
    "updated": (
        phrase("No rows updated in these days."),
        lambda total, **about: counted(
            "%(rows)s rows updated; the most, %(most)s, on %(day)s.",
            "%(rows)s rows updated; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
    "archived": (
        phrase("No rows archived in these days."),
        lambda total, **about: counted(
            "%(rows)s rows archived; the most, %(most)s, on %(day)s.",
            "%(rows)s rows archived; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
    "restored": (
        phrase("No rows restored in these days."),
        lambda total, **about: counted(
            "%(rows)s rows restored; the most, %(most)s, on %(day)s.",
            "%(rows)s rows restored; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
    "end": (
        phrase("No rows end in these days."),
        lambda total, **about: counted(
            "%(rows)s rows end; the most, %(most)s, on %(day)s.",
            "%(rows)s rows end; the most, %(most)s, on %(day)s.",
            total,
            **about,
        ),
    ),
}
HEIGHT, STEP, BAR = 48, 8, 6  # units of the picture


@dataclass(frozen=True)
class Bar:
    """One day: where it stands in the picture, and how many rows."""

    day: date
    rows: int
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Chart:
    """Rows of one kind, day by day; only days with rows have a bar. `name` stands above it, else
    the kind."""

    kind: str
    total: int
    most: int
    bars: list[Bar] = field(default_factory=list)
    width: int = 0
    height: int = HEIGHT
    bar: int = BAR
    name: str = ""

    @property
    def title(self) -> str:
        """What stands above it."""
        about = {"name": self.name or NAMES[self.kind], "total": number(self.total)}
        if not self.most:
            return phrase("%(name)s: %(total)s", **about)
        return phrase(
            "%(name)s: %(total)s, at most %(most)s a day", most=number(self.most), **about
        )

    @property
    def says(self) -> str:
        """In words, for whoever does not see it."""
        none, some = SAYS[self.kind]
        if not self.total:
            return none
        top = max(self.bars, key=lambda each: each.rows)
        return some(self.total, rows=number(self.total), most=number(top.rows), day=on(top.day))


def charts(days: Days) -> list[Chart]:
    """One for each kind of which there is something, and for what was purged in any case."""
    made = [chart_of(kind, rows, days.days) for kind, rows in days.rows.items()]
    return [each for each in made if each.total or each.kind == "purged"]


def chart_of(kind: str, rows: list[int], days: list[date], name: str = "") -> Chart:
    """Of a kind that follows the word rows: purged, end."""
    most = max(rows, default=0)
    bars = [
        _bar(number, day, count, most)
        for number, (day, count) in enumerate(zip(days, rows, strict=True))
        if count
    ]
    return Chart(kind, sum(rows), most, bars, width=len(days) * STEP, name=name)


def _bar(number: int, day: date, count: int, most: int) -> Bar:
    height = max(2, round(HEIGHT * count / most))
    return Bar(day, count, number * STEP + 1, HEIGHT - height, height)
