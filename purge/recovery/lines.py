"""The published events with their keys and salts, each checked against its leaf in the tree."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.leaf import leaf_of
from lifecycle.sealing.entries import record_of
from purge.proof import bundle
from purge.proof.options import ProofOptions
from purge.proof.ship import store_of
from purge.proof.store import ProofStore
from purge.recovery.survey import Survey


class Line(NamedTuple):
    """A published event: its place in the log, its salt, and all that it says, as text."""

    place: int
    salt: bytes
    record: dict[str, Any]
    identities: str | None = None  # of rows that another event names; no leaf has them

    @property
    def number(self) -> int:
        """The event's number in the ledger."""
        return int(self.record["id"])


def lines_from(options: ProofOptions, found: Survey, start: int) -> Iterator[list[Line]]:
    """The events from an index on to the head, a bundle each, in their order.

    A bundle that a broken-off attempt has left, with other events than were signed, is passed over.
    Raises `LifecycleError` where the store does not have all of them.
    """
    store, place = store_of(options, found.log), start
    for path in store.names("events/"):
        first, _, end = path.removeprefix("events/").partition("-")
        if int(first) <= place < min(int(end), found.head.size) and (
            lines := _read(options, store, path, found, place)
        ):
            yield lines
            place = lines[-1].place + 1
    if place < found.head.size:
        text = f"{store.title} has not all events from {place} on, or not as they were signed"
        raise LifecycleError(f"{text}: they cannot be put back.")


def _read(
    options: ProofOptions, store: ProofStore, path: str, found: Survey, place: int
) -> list[Line]:
    """The events of a bundle from an index on; none where one is not what was signed."""
    data = bundle.decode(bundle.unlock(store.read(path) or b"", options.key, path))
    lines = [
        Line(each["index"], bytes.fromhex(each["salt"]), each["record"], each.get("identities"))
        for each in data
    ]
    lines = [line for line in lines if place <= line.place < found.head.size]
    return lines if all(_is_signed(line, place + n, found) for n, line in enumerate(lines)) else []


def _is_signed(line: Line, index: int, found: Survey) -> bool:
    made = leaf_of(record_of(line.record), line.salt)
    return line.place == index and made == found.leaf(index)
