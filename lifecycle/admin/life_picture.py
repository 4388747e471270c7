"""The life of a row as places in a picture: a line for each policy, one for holds, and marks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.insight.life import Life, Mark, Span
from lifecycle.phrases import at, joined, phrase, word

WIDTH = 1000  # units from the left end of the picture to its right end
LEAST = 3  # of a state that was over at once


@dataclass(frozen=True)
class Piece:
    """A state: where it stands in the picture, and what it says."""

    state: str
    x: float
    width: float
    says: str


@dataclass(frozen=True)
class Spot:
    """A mark: where, of which kind, and what it says."""

    kind: str
    x: float
    says: str


@dataclass(frozen=True)
class Line:
    """One line of the picture, and the same in words; `marked` with what people did."""

    name: str
    pieces: list[Piece]
    marked: bool = True

    @property
    def says(self) -> str:
        said = joined("; ", [piece.says for piece in self.pieces])
        return joined("", [self.name, ": ", said, "."])


@dataclass(frozen=True)
class Picture:
    """All of it; `now_x` is where now is."""

    lines: list[Line]
    spots: list[Spot]
    now_x: float
    since: datetime
    until: datetime
    width: int = WIDTH


def picture(life: Life) -> Picture:
    """To scale, from the first event to now or to what comes next."""
    whole = max(life.until - life.since, timedelta(seconds=1))

    def place(at: datetime) -> float:
        share = (min(max(at, life.since), life.until) - life.since) / whole
        return round(share * WIDTH, 1)

    def piece(span: Span) -> Piece:
        end = span.until or (life.until if span.state == "gone" else life.now)
        x, right = place(span.since), place(end)
        return Piece(span.state, x, max(right - x, LEAST), _says(span))

    lines = [
        Line(lane.policy or phrase("the row"), [piece(s) for s in lane.spans])
        for lane in life.lanes
    ]
    if life.holds:
        lines.append(Line(phrase("holds"), [piece(span) for span in life.holds], marked=False))
    spots = [_spot(mark, place(mark.at)) for mark in life.marks]
    return Picture(lines, spots, place(life.now), life.since, life.until)


def _says(span: Span) -> str:
    about = {"state": word(span.state), "since": at(span.since)}
    if span.until is None:
        return phrase("%(state)s since %(since)s", **about)
    return phrase("%(state)s since %(since)s until %(until)s", until=at(span.until), **about)


def _spot(mark: Mark, x: float) -> Spot:
    return Spot(mark.kind, x, joined(": ", [mark.says, at(mark.at)]))
