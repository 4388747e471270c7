"""The life of a row as places in a picture: a line for each policy, one for holds, and marks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.insight.life import Life, Mark, Span
from lifecycle.printable import in_utc

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
    """One line of the picture, and the same in words."""

    name: str
    pieces: list[Piece]

    @property
    def says(self) -> str:
        return f"{self.name}: {'; '.join(piece.says for piece in self.pieces)}."


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

    lines = [Line(lane.policy or "the row", [piece(s) for s in lane.spans]) for lane in life.lanes]
    if life.holds:
        lines.append(Line("holds", [piece(span) for span in life.holds]))
    spots = [_spot(mark, place(mark.at)) for mark in life.marks]
    return Picture(lines, spots, place(life.now), life.since, life.until)


def _says(span: Span) -> str:
    until = f" until {in_utc(span.until)}" if span.until else ""
    return f"{span.state} since {in_utc(span.since)}{until}"


def _spot(mark: Mark, x: float) -> Spot:
    return Spot(mark.kind, x, f"{mark.says}: {in_utc(mark.at)}")
