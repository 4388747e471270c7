"""A tree kept as tiles: its right edge as it grows, and reading its nodes from where tiles are."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.merkle import consistency_proof, inclusion_proof
from lifecycle.proof.tiles import FULL, HEIGHT, MOST_LEVELS, WIDTH, Tile, tile_count
from lifecycle.proof.tree import HASH_SIZE, Frontier, Node, check_size, hash_pairs, root_of

#: What a log has under a path below its prefix; None where it has nothing.
Fetch = Callable[[str], bytes | None]
_CACHED = 256  # tiles, 2 MB


class Edge:
    """The partial tiles at the right edge of a tree, to which leaves are appended.

    `append` gives the tiles that became full; `partial` gives the others as they are now.
    """

    def __init__(self, size: int = 0, partial: Sequence[bytes] = ()) -> None:
        """Takes up a tree where it ended, by the partial tile of each level, `b""` for none."""
        check_size(size)
        self.size = size
        self._rows = [*partial, *([b""] * (MOST_LEVELS - len(partial)))]
        wanted = [tile_count(level, size) % WIDTH * HASH_SIZE for level in range(MOST_LEVELS)]
        if [len(each) for each in self._rows] != wanted:
            raise Malformed(f"these are not the partial tiles of a tree of {size}")

    @classmethod
    def read(cls, size: int, fetch: Fetch) -> "Edge":
        """The edge of a tree of this size as its tiles say; raises as `TileReader` does."""
        reader = TileReader(fetch, size)
        return cls(size, [reader.partial(level) for level in range(MOST_LEVELS)])

    def append(self, leaf_hashes: bytes) -> list[tuple[Tile, bytes]]:
        """Add leaves by their hashes; gives each tile that became full, those below first."""
        if len(leaf_hashes) % HASH_SIZE:
            raise Malformed(f"{len(leaf_hashes)} bytes are no whole number of hashes")
        before, added = self.size, leaf_hashes
        check_size(before, before + len(leaf_hashes) // HASH_SIZE)
        self.size += len(leaf_hashes) // HASH_SIZE
        full = []
        for level in range(MOST_LEVELS):
            first = tile_count(level, before) // WIDTH
            data = self._rows[level] + added
            end = len(data) - len(data) % FULL
            self._rows[level] = data[end:]
            whole = [data[start : start + FULL] for start in range(0, end, FULL)]
            full += [(Tile(level, first + i), each) for i, each in enumerate(whole)]
            added = b"".join(map(root_of_perfect, whole))
        return full

    def partial(self) -> Iterator[tuple[Tile, bytes]]:
        """The partial tiles of the tree as it is now."""
        for level, data in enumerate(self._rows):
            if data:
                count = tile_count(level, self.size)
                yield Tile(level, count // WIDTH, count % WIDTH), data

    def frontier(self) -> Frontier:
        """The same edge without tiles."""
        parts: list[bytes] = []
        for data in reversed(self._rows):
            parts += _perfect_parts(data)
        return Frontier(self.size, parts)

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return self.frontier().root()


def root_of_perfect(hashes: bytes) -> bytes:
    """The root above a power of two of hashes."""
    while len(hashes) > HASH_SIZE:
        hashes = hash_pairs(hashes)
    return hashes


def _perfect_parts(data: bytes) -> Iterator[bytes]:
    """The roots of the perfect parts of what stands in a partial tile, the largest first."""
    start = 0
    for row in reversed(range(HEIGHT)):
        if len(data) // HASH_SIZE >> row & 1:
            end = start + (HASH_SIZE << row)
            yield root_of_perfect(data[start:end])
            start = end


class TileReader:
    """Reads the nodes of a tree of a known size out of its tiles.

    What it reads is proven only by a proof that leads to a root known otherwise: `check_root`.
    A tile that is missing or of a wrong length raises `Unverified` or `Malformed`.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        check_size(size)
        self.size = size
        self._fetch = fetch
        self.tile: Callable[[int, int], bytes] = lru_cache(_CACHED)(self._tile)

    def _tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, as wide as it is in this tree; if need be from the full one."""
        tile = Tile(level, index, min(WIDTH, tile_count(level, self.size) - index * WIDTH))
        if tile.width < 1:
            raise Malformed(f"a tree of {self.size} has no tile {tile.full.path}")
        data = self._fetch(tile.path)
        if data is not None:
            return tile.check(data)
        data = self._fetch(tile.full.path) if tile != tile.full else None
        if data is None:
            raise Unverified(f"{tile.path} is not there")
        return tile.full.check(data)[: tile.width * HASH_SIZE]

    def partial(self, level: int) -> bytes:
        """The hashes of the level's last tile, if that is a partial one; else none."""
        index, width = divmod(tile_count(level, self.size), WIDTH)
        return self.tile(level, index) if width else b""

    def nodes(self, wanted: Sequence[Node]) -> list[bytes]:
        """The hashes of nodes of this tree."""
        return [self._node(node) for node in wanted]

    def _node(self, node: Node) -> bytes:
        if (node.number + 1) << node.level > self.size:
            raise Malformed(f"a tree of {self.size} has no whole node {node}")
        level, row = divmod(node.level, HEIGHT)
        index, place = divmod(node.number << row, WIDTH)
        start = place * HASH_SIZE
        return root_of_perfect(self.tile(level, index)[start : start + (HASH_SIZE << row)])

    def leaf_hashes(self, start: int, end: int) -> bytes:
        """The hashes of the leaves from start to end, one after the other."""
        check_size(start, end, self.size)
        tiles = range(start // WIDTH, -(-end // WIDTH))
        read = b"".join([self.tile(0, index) for index in tiles])
        first = start % WIDTH * HASH_SIZE
        return read[first : first + (end - start) * HASH_SIZE]

    def root(self, size: int | None = None) -> bytes:
        """The root of this tree, or of an earlier size of it, as its tiles say."""
        check_size(self.size if size is None else size, self.size)
        return root_of(self.size if size is None else size, self.nodes)

    def check_root(self, root: bytes) -> None:
        """Raises `Unverified` unless the tiles at the right edge add up to this root."""
        if self.root() != root:
            raise Unverified(f"the tiles of a tree of {self.size} add up to another root")

    def inclusion_proof(self, index: int) -> list[bytes]:
        """That the tree has this leaf."""
        return inclusion_proof(index, self.size, self.nodes)

    def consistency_proof(self, old: int) -> list[bytes]:
        """That the tree continues its own of an earlier size."""
        return consistency_proof(old, self.size, self.nodes)
