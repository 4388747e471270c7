"""Charts as numbers for an SVG that the server draws: no script, no style of its own."""

from dataclasses import dataclass, field
from datetime import date

from lifecycle.insight.days import Days

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
        most = f", at most {self.most:,} a day" if self.most else ""
        return f"{self.name or self.kind.capitalize()}: {self.total:,}{most}"

    @property
    def says(self) -> str:
        """In words, for whoever does not see it."""
        if not self.total:
            return f"No rows {self.kind} in these days."
        top = max(self.bars, key=lambda each: each.rows)
        return f"{self.total:,} rows {self.kind}; the most, {top.rows:,}, on {top.day}."


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
