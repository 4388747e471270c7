"""How long to wait after failures in a row."""

from datetime import timedelta
from typing import TypeVar

Wait = TypeVar("Wait", float, timedelta)


def back_off(first: Wait, longest: Wait, failures: int) -> Wait:
    """Twice as long after each failure: `first` after none, never more than `longest`."""
    return min(first * 2 ** min(failures, 20), longest)
