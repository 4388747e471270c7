"""Ages as options of the commands: whole numbers of a unit, as the settings have them."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

LONGEST = 100_000  # of any unit


@dataclass(frozen=True)
class Unit:
    """A unit of time; `name` is what `timedelta` calls it."""

    name: str

    def add_to(self, parser: ArgumentParser, option: str, default: int, about: str) -> None:
        """Add an option that takes a number of this unit."""
        text = f"{about}; default: {default}"
        parser.add_argument(
            option, type=self.number, default=default, metavar=self.name.upper(), help=text
        )

    def number(self, text: str) -> int:
        """A whole number of it, at least one."""
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST:
            raise ArgumentTypeError(f"{text!r} is not a number of {self.name} from 1 to {LONGEST}")
        return int(text)

    def override(self, wanted: int, own: int) -> dict[str, Any]:
        """What an age says otherwise than the policy: nothing where it is the same."""
        return {} if wanted == own else {"older_than": timedelta(**{self.name: wanted})}


minutes, hours, days = Unit("minutes"), Unit("hours"), Unit("days")
