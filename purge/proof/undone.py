"""What a backup has undone, by what is published: how many endings, of how many rows, since when.

Of the log's entries, which name nobody: no key is needed, and each entry is compared with its leaf.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.canonical import HEAD, Text, decode_fields
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.readable import moment
from lifecycle.proof.story import ENDINGS, NAMES
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import WIDTH, Tile, bundles_of
from purge.proof.published import entries_of, proven_leaves
from purge.proof.store import AT_ONCE, ProofStore

MOST = 100_000  # events that are counted; a store has them in 400 objects


@dataclass(frozen=True)
class Undone:
    """Endings that are published and not in this ledger, and the time of the last event it has."""

    endings: int
    rows: int
    as_of: str
    whole: bool  # false where more were published than are counted

    def __str__(self) -> str:
        least = "" if self.whole else "at least "
        endings = f"{self.endings} ending{'' if self.endings == 1 else 's'}"
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'}"
        since = f"; it is as of {self.as_of}" if self.as_of else ""
        return f"{least}{endings} of {rows} undone{since}"


_last: dict[tuple[bytes, int], str] = {}


def undone(store: ProofStore, head: Checkpoint, start: int) -> str:
    """The same in words, of the indexes from start on; remembered, for it is asked every minute.

    Never raises: what cannot be read is said.
    """
    asked = (head.root, start)
    if asked not in _last:
        try:
            text = str(count_undone(store, head, start))
        except (LifecycleError, ProofError) as error:
            return f"which endings are undone cannot be read: {error}"
        _last.clear()
        _last[asked] = text
    return _last[asked]


def count_undone(store: ProofStore, head: Checkpoint, start: int) -> Undone:
    """Raises `LifecycleError` or `ProofError` for entries that are not what was signed."""
    end, first = min(head.size, start + MOST), max(start - 1, 0)
    fields = list(_entries(store, head, first, end))
    as_of = moment(fields[0]["recorded_at"]) if start else ""
    missing = fields[start - first :]
    endings = [each for each in missing if each["kind"] in ENDINGS and each["kind"] != "archived"]
    rows = sum(int(each["count"] or 0) for each in endings)
    return Undone(len(endings), rows, as_of, end == head.size)


def _entries(
    store: ProofStore, head: Checkpoint, start: int, end: int
) -> Iterator[dict[str, Text]]:
    """The fields of each entry of the indexes from start to end."""
    reader = TileReader(store.read, head.size)
    bundles = [each for each in bundles_of(head.size) if _overlaps(each, start, end)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = pool.map(lambda each: entries_of(store, each), bundles)
        for each, entries in zip(bundles, read, strict=True):
            low = each.number * WIDTH
            leaves = b"".join([sha256(b"\x00" + entry).digest() for entry in entries])
            if leaves != proven_leaves(reader, head, low, low + each.width):
                raise LifecycleError(f"{each.path} has other entries than were signed")
            for entry in entries[max(start - low, 0) : end - low]:
                yield dict(zip(NAMES, decode_fields(entry[len(HEAD) :]), strict=True))


def _overlaps(each: Tile, start: int, end: int) -> bool:
    return each.number * WIDTH < end and (each.number + 1) * WIDTH > start
