"""Roots, proofs and tiles are those of RFC 6962, of any size, and no other proof is taken."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.proof import merkle, tree
from lifecycle.proof.errors import Malformed, ProofError, Unverified
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.proof.tiles import (
    ENTRIES,
    Tile,
    bundles_of,
    decode_bundle,
    parse_path,
    tiles_of,
)
from tests.proof import trees

# Leaves and roots that implementations of Certificate Transparency share.
SHARED = (
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
)
COUNT = 70
ENTRIES_70 = trees.entries_of(COUNT)


class Store(dict[str, bytes]):
    """Tiles by their paths, as a log puts them out after each step."""

    def __init__(self, *steps: bytes) -> None:
        self.edge = Edge()
        for step in steps:
            self.add(step)

    def add(self, leaf_hashes: bytes) -> None:
        self.update({tile.path: data for tile, data in self.edge.append(leaf_hashes)})
        self.update({tile.path: data for tile, data in self.edge.partial()})

    def reader(self, size: int | None = None) -> TileReader:
        return TileReader(self.get, self.edge.size if size is None else size)


@pytest.fixture(scope="module")
def store() -> Store:
    """A log that was put out after each of its leaves."""
    return Store(*[tree.hash_leaf(each) for each in ENTRIES_70])


def test_roots_are_those_that_others_share() -> None:
    frontier = tree.Frontier()
    assert frontier.root() == trees.mth([])
    for leaf, root in SHARED:
        frontier.append(tree.hash_leaf(bytes.fromhex(leaf)))
        assert frontier.root().hex() == root


@given(st.lists(st.integers(0, 90), max_size=6))
def test_leaves_in_bulk_give_the_root_of_leaves_one_by_one(steps: list[int]) -> None:
    entries = trees.entries_of(sum(steps))
    frontier, edge, start = tree.Frontier(), Edge(), 0
    for step in steps:
        hashes = tree.hash_leaves(entries[start : start + step])
        frontier = tree.Frontier(frontier.size, frontier.hashes)  # as if read anew
        frontier.append(hashes)
        edge.append(hashes)
        start += step
    assert frontier.root() == edge.root() == trees.mth(entries)
    assert edge.frontier().hashes == frontier.hashes


def test_every_inclusion_proof_up_to_70_leaves(store: Store) -> None:
    for size in range(1, COUNT + 1):
        entries, root = ENTRIES_70[:size], trees.mth(ENTRIES_70[:size])
        reader = store.reader(size)
        reader.check_root(root)
        for index in range(0, size, 1 + size // 9):
            proof = reader.inclusion_proof(index)
            assert proof == trees.path(index, entries)
            merkle.verify_inclusion(tree.hash_leaf(entries[index]), index, size, proof, root)


def test_every_consistency_proof_up_to_70_leaves(store: Store) -> None:
    for new in range(COUNT + 1):
        reader, root = store.reader(new), trees.mth(ENTRIES_70[:new])
        for old in range(0, new + 1, 1 + new // 9):
            proof = reader.consistency_proof(old)
            assert proof == trees.proof(old, ENTRIES_70[:new])
            before = trees.mth(ENTRIES_70[:old])
            assert reader.root(old) == before
            merkle.verify_consistency(old, before, new, root, proof)


def spoilt(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Proofs that are almost this one."""
    for place in range(len(proof)):
        flipped = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        yield [*proof[:place], flipped, *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], proof[place][:-1], *proof[place + 1 :]]
        if proof[::-1] != proof:
            yield proof[::-1]
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]


@given(st.integers(1, COUNT), st.data())
def test_no_other_inclusion_is_taken(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    entries, root = ENTRIES_70[:size], trees.mth(ENTRIES_70[:size])
    leaf, proof = tree.hash_leaf(entries[index]), trees.path(index, entries)
    for other in range(size):
        if other != index:
            with pytest.raises(ProofError):
                merkle.verify_inclusion(leaf, other, size, proof, root)
            with pytest.raises(ProofError):
                merkle.verify_inclusion(tree.hash_leaf(entries[other]), index, size, proof, root)
    for each in spoilt(proof):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, index, size, each, root)


@given(st.integers(0, COUNT), st.integers(0, COUNT))
def test_no_other_consistency_is_taken(a: int, b: int) -> None:
    old, new = sorted((a, b))
    before, after = trees.mth(ENTRIES_70[:old]), trees.mth(ENTRIES_70[:new])
    proof = trees.proof(old, ENTRIES_70[:new])
    for each in spoilt(proof):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, before, new, after, each)
    if old:
        with pytest.raises(Unverified):
            merkle.verify_consistency(old, before, new, bytes(32), proof)
    with pytest.raises(Unverified):
        merkle.verify_consistency(old, bytes(32), new, after, proof)


@pytest.mark.parametrize(
    ("index", "size"), [(-1, 4), (4, 4), (0, 0), (2**63, 2**63 + 1), (0, 2**63)]
)
def test_a_place_outside_of_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(Malformed):
        merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))


def test_an_old_tree_that_is_larger_is_refused() -> None:
    with pytest.raises(Malformed):
        merkle.verify_consistency(5, bytes(32), 4, bytes(32), [])


def test_a_frontier_of_another_size_is_refused() -> None:
    for size, hashes in ((3, [bytes(32)]), (1, [bytes(31)]), (-1, []), (2**63, [bytes(32)])):
        with pytest.raises(Malformed):
            tree.Frontier(size, hashes)
    frontier = tree.Frontier(3, [bytes(32), bytes(32)])
    with pytest.raises(Malformed):
        frontier.append(bytes(33))
    assert frontier.size == 3


def test_a_tree_of_70_000_is_read_back_of_its_tiles() -> None:
    leaves = b"".join([number.to_bytes(32, "big") for number in range(70_000)])
    store = Store(leaves[: 300 * 32], leaves[300 * 32 : 65_536 * 32], leaves[65_536 * 32 :])
    named = [tile.path for tile in tiles_of(70_000)]
    assert len(named) == 273 + 1 + 1 + 1 + 1
    assert named[-3:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert set(named) <= set(store)
    since = {tile.path for tile in tiles_of(70_000, 65_536)}
    assert since == {*named[256:274], "tile/1/001.p/17"}
    reader = store.reader()
    reader.check_root(store.edge.root())
    assert reader.leaf_hashes(255, 70_000) == leaves[255 * 32 :]
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        proof, leaf = reader.inclusion_proof(index), leaves[index * 32 : index * 32 + 32]
        merkle.verify_inclusion(leaf, index, 70_000, proof, store.edge.root())
    proof = reader.consistency_proof(300)
    before = tree.Frontier()
    before.append(leaves[: 300 * 32])
    merkle.verify_consistency(300, before.root(), 70_000, store.edge.root(), proof)
    assert Edge.read(70_000, store.get).root() == store.edge.root()


def test_a_partial_tile_that_is_gone_is_read_of_the_full_one() -> None:
    store = Store(tree.hash_leaves(trees.entries_of(200)))
    root = store.edge.root()
    store.add(bytes(56 * 32))
    del store["tile/0/000.p/200"]
    store.reader(200).check_root(root)
    del store["tile/0/000"]
    with pytest.raises(Unverified, match=r"tile/0/000\.p/200 is not there"):
        store.reader(200).root()


def test_a_tile_that_is_not_the_trees_is_found(store: Store) -> None:
    for data in (bytes(32 * COUNT), store["tile/0/000.p/70"][:-1], b""):
        spoilt_store = store | {"tile/0/000.p/70": data}
        with pytest.raises(ProofError):
            TileReader(spoilt_store.get, COUNT).check_root(trees.mth(ENTRIES_70))
    with pytest.raises(Malformed):
        store.reader(COUNT).nodes([tree.Node(6, 1)])
    with pytest.raises(Malformed):
        store.reader(COUNT).inclusion_proof(COUNT)
    with pytest.raises(Malformed):
        Edge(COUNT, [bytes(32)])


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/001", Tile(0, 1)),
        ("tile/0/001.p/5", Tile(0, 1, 5)),
        ("tile/5/x123/x456/078", Tile(5, 123456078)),
        ("tile/5/x123/x456/078.p/2", Tile(5, 123456078, 2)),
        ("tile/63/x001/x234/067", Tile(63, 1234067)),
        ("tile/entries/x003/x057/500", Tile(ENTRIES, 3057500)),
        ("tile/entries/000.p/255", Tile(ENTRIES, 0, 255)),
    ],
)
def test_the_path_of_a_tile(path: str, tile: Tile) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000", "tile/00/000", "tile/-1/000", "tile/0/123/456/078", "tile/0/x000/001",
        "tile/0/0001", "tile/0/01", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/05",
        "/tile/0/000", "tile/0/000/", "tile/0/000\n", "tile/0/x001", "tile/data/000", "tile/0/",
        "tile/0/" + "x999/" * 400 + "999", "tile/" + "9" * 5000 + "/000", "tile/0/00\u0661", "",
    ],
)  # fmt: skip
def test_no_other_path_is_read(path: str) -> None:
    with pytest.raises(Malformed):
        parse_path(path)


@given(st.text("0123456789x/.petrils-+ \n\u0661", max_size=30))
def test_what_is_read_as_a_path_is_written_so(text: str) -> None:
    for path in (text, f"tile/{text}", f"tile/0/{text}", f"tile/0/000.p/{text}"):
        try:
            assert parse_path(path).path == path
        except Malformed:
            continue


def test_bundles_hold_the_entries() -> None:
    entries = [b"", b"x" * 65_535, *trees.entries_of(254)]
    assert decode_bundle(trees.encode_bundle(entries)) == entries
    assert decode_bundle(trees.encode_bundle([b"a"]), 1) == [b"a"]
    assert [tile.path for tile in bundles_of(600, 250)] == [
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    ]  # fmt: skip


def test_no_other_bundle_is_read() -> None:
    data = trees.encode_bundle([b"abc", b"de"])
    for wrong in [*[data[:end] for end in range(len(data))], data + b"\0", data + b"\0\0"]:
        with pytest.raises(Malformed):
            decode_bundle(wrong, 2)
    for width in (1, 3, 256):
        with pytest.raises(Malformed):
            decode_bundle(data, width)


def test_a_large_random_tree_proves_itself() -> None:
    chance = random.Random(6962)
    leaves = chance.randbytes(32 * 5_000)
    store = Store(leaves)
    reader, root = store.reader(), store.edge.root()
    for _ in range(200):
        index, old = chance.randrange(5_000), chance.randrange(1, 5_001)
        leaf = leaves[index * 32 : index * 32 + 32]
        merkle.verify_inclusion(leaf, index, 5_000, reader.inclusion_proof(index), root)
        proof = reader.consistency_proof(old)
        merkle.verify_consistency(old, reader.root(old), 5_000, root, proof)
