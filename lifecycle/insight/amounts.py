"""Numbers of rows that were counted so far and no further."""

from typing import NamedTuple

from lifecycle.phrases import joined, number

MOST = 10_000  # more are shown as that many, and a plus


class Amount(NamedTuple):
    """So many rows, or `more` than were counted."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        """`12`, `10,000+`; of what was not counted to its end a round number below it."""
        if self.number >= MOST:
            return joined("", [number(MOST), "+"])
        return joined("", [number(_round(self.number)), "+"]) if self.more else number(self.number)

    def __add__(self, other: tuple) -> "Amount":
        number, more = other
        return Amount(self.number + number, self.more or more)


def _round(number: int) -> int:
    """Down to its first digit."""
    unit = 10 ** (len(str(number)) - 1)
    return number // unit * unit
