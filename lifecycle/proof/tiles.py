"""Where a log's tiles are, as C2SP `tlog-tiles` says: paths, widths, and bundles of entries.

A tile holds 256 hashes one after the other: of leaves at level 0, and of whole tiles of the level
below at each one above. The last of a level may hold fewer, and says how many in its path.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lifecycle.proof.errors import Malformed
from lifecycle.proof.tree import HASH_SIZE, MAX_SIZE, check_size

WIDTH = 256
HEIGHT = 8
FULL = WIDTH * HASH_SIZE
#: the level of a bundle of entries in `Tile.level`; in its path it is the word
ENTRIES = -1
CHECKPOINT = "checkpoint"
MOST_LEVELS = 8  # 256**8 leaves are more than an int64 counts

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PATH = re.compile(
    rf"tile/({_NUMBER}|entries)/((?:x[0-9]{{3}}/)*[0-9]{{3}})(?:\.p/([1-9][0-9]*))?", re.ASCII
)


class Tile(NamedTuple):
    """A tile, or a bundle of entries, of so many hashes or entries."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/12`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{_number_path(self.number)}{self._suffix}"

    @property
    def _suffix(self) -> str:
        return "" if self.width == WIDTH else f".p/{self.width}"

    @property
    def full(self) -> "Tile":
        """The tile that it becomes, or is, when 256 wide."""
        return self._replace(width=WIDTH)

    def check(self, data: bytes) -> bytes:
        """The data as it is; raises `Malformed` unless it is as long as this tile."""
        if len(data) != self.width * HASH_SIZE:
            raise Malformed(f"{self.path} has {len(data)} bytes")
        return data


def _number_path(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def parse_path(path: str) -> Tile:
    """The tile that a path names; raises `Malformed` for any but the one way to write it."""
    found = _PATH.fullmatch(path)
    if not found:
        raise Malformed(f"no path of a tile: {path!r}")
    level = ENTRIES if found[1] == "entries" else int(found[1][:3])
    number = int(found[2][:60].replace("/", "").replace("x", ""))
    tile = Tile(level, number, int(found[3][:4]) if found[3] else WIDTH)
    if tile.level >= 64 or tile.number > MAX_SIZE or tile.path != path:
        raise Malformed(f"no path of a tile: {path!r}")
    return tile


def tile_count(level: int, size: int) -> int:
    """How many hashes a tree of this size has in the tiles of a level."""
    return size >> HEIGHT * max(level, 0)


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The tiles of a tree of this size, as wide as they are now, that an earlier size had not."""
    check_size(since, size)
    for level in range(MOST_LEVELS):
        before, now = tile_count(level, since), tile_count(level, size)
        if before < now:
            yield from _tiles_between(level, before, now)


def bundles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The bundles of entries that a log of this size has and one of an earlier size had not."""
    check_size(since, size)
    if since < size:
        yield from _tiles_between(ENTRIES, since, size)


def _tiles_between(level: int, before: int, now: int) -> Iterator[Tile]:
    for number in range(before // WIDTH, -(-now // WIDTH)):
        yield Tile(level, number, min(WIDTH, now - number * WIDTH))


def decode_bundle(data: bytes, width: int = WIDTH) -> list[bytes]:
    """The entries of a bundle, each with its length before it, in two bytes.

    Raises `Malformed` unless it has exactly so many.
    """
    entries: list[bytes] = []
    place = 0
    while place + 2 <= len(data) and len(entries) < width:
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        entries.append(data[place + 2 : end])
        place = end
    if place != len(data) or len(entries) != width:
        raise Malformed(f"no bundle of {width} entries")
    return entries
