"""The published events with their keys and salts, each checked against its leaf in the tree."""

from collections.abc import Iterator

from lifecycle.exceptions import LifecycleError
from purge.archive.destinations import Unreachable
from purge.proof.bundle import Line
from purge.proof.options import ProofOptions
from purge.proof.published import read_lines
from purge.proof.ship import store_of
from purge.recovery.survey import Survey


def lines_from(options: ProofOptions, found: Survey, start: int) -> Iterator[list[Line]]:
    """The events from an index on to the head, a bundle each, in their order.

    Raises `LifecycleError` where the store does not have all of them as they were signed.
    """
    store = store_of(options, found.log)
    try:
        yield from read_lines(store, options.key, found.leaves_of, start, found.head.size)
    except Unreachable:
        raise
    except LifecycleError as error:
        text = f"{store.title} has not all events from {start} on, or not as they were signed"
        raise LifecycleError(f"{text}: they cannot be put back: {error}.") from None
