"""What each form of archives, files or a table, does so that rows of a person leave it.

The order is that of `purge.rewriting`: an archive is prepared without the rows and read back, then
the new one counts, in one transaction with the event, then what is left of the old one goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from purge.archive.records import Lost
from purge.models import Rewrite


@dataclass(frozen=True)
class Wanted:
    """The rows that are to go: those with one of some values in their columns.

    `values` are by the column's name, as text; with `every` a row must have them all, else one is
    enough. They are a person's: in no log, no error, no table and no name.
    """

    values: dict[str, str] = field(repr=False)
    every: bool = False


@dataclass(frozen=True)
class Prepared:
    """An archive without the rows that were wanted, written, read back and compared; not in force.

    archive   the old one's name
    name      the new one's; empty where no row was left
    manifest  what the new one is known by, a SHA-256; empty with the name
    replaces  what the old one was known by
    rows      that are left
    keys      of the rows that go, as the ledger writes them
    old       objects that have to go once the new one counts, with every version of them
    found     the old one is gone and the new one was there already: a restored database does not
              know what it has done, and nothing could be compared
    body      what only its form knows of it
    """

    archive: str
    name: str
    manifest: str
    replaces: str
    rows: int
    keys: list[str] = field(repr=False)
    old: list[str]
    found: bool = False
    body: object = field(default=None, repr=False)


class ArchiveForm(Protocol):
    """Archives of one policy in one database, of one form.

    Each method raises a `LifecycleError` where it cannot do what it says, whose words hold no value
    of a row: what was begun is tried again later. One process at a time calls them for a policy.
    """

    def names(self) -> list[str]:
        """The archives in force that may have rows, the oldest first. `LifecycleError` while one
        is being made."""

    def lost(self) -> dict[str, Lost]:
        """Those that a person has declared lost, by their names; they are not among `names`."""

    def is_there(self, name: str) -> bool:
        """Whether anything is kept of an archive, in whatever version, or of one that stands for
        it. Raises `LifecycleError` where that cannot be seen."""

    def prepare(self, rewrite: Rewrite, wanted: Wanted) -> Prepared | None:
        """Make an archive without the rows, read it back, compare it with the old one row for row.

        None where it has no such row; an error where it is not there. `rewrite` names the old one
        (`archive`) and is saved, with the new name, before anything is put.
        """

    def reach(self, name: str) -> None:
        """Raise `Unreachable` where the place of an archive does not answer at all."""

    def keys(self, name: str, wanted: Wanted) -> Iterator[str]:
        """The keys of the rows that would go from an archive; changes nothing."""

    def switch(self, prepared: Prepared, rewrite: Rewrite) -> None:
        """Have the new one count, in the caller's transaction of the policy's database."""

    def sweep(self, rewrite: Rewrite) -> None:
        """Remove `rewrite.old` with every version, and look that nothing of it is there: no reader
        finds the rows any more. Once more does no harm."""

    def discard(self, rewrite: Rewrite) -> None:
        """Remove what was put for a rewrite that did not come to its switch."""
