"""What others wrote takes our notes, proofs and tiles, and ours takes theirs.

Go's golang.org/x/mod/sumdb, which C2SP's formats come from, and pymerkle, from PyPI.
"""

import base64
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from lifecycle.proof import merkle, tree
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.keys import SignerKey
from lifecycle.proof.note import sign
from lifecycle.proof.tiled import Edge, TileReader
from tests.places.servers import program
from tests.proof import trees

HERE = Path(__file__).parent / "independent"
LOG = SignerKey("example.org/lifecycle/1", bytes(range(32)))
GO = SignerKey("example.org/go", bytes(range(1, 33)))
SIZE = 66_000  # three levels of tiles
PLACES = (0, 1, 255, 256, 40_000, 65_535, 65_536, 65_999)
OLDER = (1, 2, 255, 256, 300, 65_535, 65_536, 65_999, SIZE)
# Debian's packages of Go libraries; the standard library as it was built.
BUILD = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that asks Go's implementation; `.ci/run` installs what it takes."""
    program("go")
    built = tmp_path_factory.mktemp("go") / "independent"
    command = ["go", "build", "-o", str(built), "."]
    done = subprocess.run(
        command, cwd=HERE, env=os.environ | BUILD, stderr=subprocess.PIPE, text=True
    )
    if "cannot find package" in done.stderr and not os.environ.get("CI"):
        pytest.skip("golang-golang-x-mod-dev is not installed")
    assert done.returncode == 0, done.stderr
    return built


def put_out(folder: Path) -> Edge:
    """A log of random leaves, put out twice; its right edge."""
    leaves, edge = random.Random(7).randbytes(SIZE * 32), Edge()
    for part in (leaves[: 300 * 32], leaves[300 * 32 :]):
        for tile, data in (*edge.append(part), *edge.partial()):
            (folder / tile.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / tile.path).write_bytes(data)
    return edge


def asked(folder: Path, reader: TileReader, root: bytes) -> dict[str, Any]:
    """What the Go program has to take, and to make itself."""
    head = Checkpoint(LOG.name, SIZE, root)
    records = [
        {"Index": each, "Leaf": reader.leaf_hashes(each, each + 1), "Proof": proof}
        for each, proof in ((each, reader.inclusion_proof(each)) for each in PLACES)
    ]
    olds = [
        {"Old": each, "Root": reader.root(each), "Proof": reader.consistency_proof(each)}
        for each in OLDER
    ]
    return {
        "Note": sign(head.text, LOG).encode().decode(), "Verifier": str(LOG.verifier),
        "Signer": GO.secret_text(), "Folder": str(folder), "Size": SIZE, "Root": root,
        "Records": records, "Trees": olds,
    }  # fmt: skip


def answered(go: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Hashes are base64 in JSON, both ways."""
    text = json.dumps(question, default=lambda data: base64.b64encode(data).decode())
    done = subprocess.run([str(go)], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [base64.b64decode(each) for each in encoded or []]


def test_go_takes_our_log_and_we_take_what_go_makes_of_it(go: Path, tmp_path: Path) -> None:
    edge, reader = put_out(tmp_path), TileReader(lambda path: (tmp_path / path).read_bytes(), SIZE)
    root = edge.root()
    answer = answered(go, asked(tmp_path, reader, root))
    assert answer["Refused"] is None
    assert len(answer["Records"]) == len(PLACES)
    assert len(answer["Trees"]) == len(OLDER)
    for each in answer["Records"]:
        leaf, proof = base64.b64decode(each["Leaf"]), hashes(each["Proof"])
        merkle.verify_inclusion(leaf, each["Index"], SIZE, proof, root)
    for each in answer["Trees"]:
        merkle.verify_consistency(
            each["Old"], base64.b64decode(each["Root"]), SIZE, root, hashes(each["Proof"])
        )
    signed = answer["Signed"].encode()
    assert open_checkpoint(signed, [LOG.verifier]).checkpoint.root == root
    assert {each.name for each in open_checkpoint(signed, [LOG.verifier]).note.verified(
        [LOG.verifier, GO.verifier]
    )} == {LOG.name, GO.name}  # fmt: skip


def test_go_refuses_what_is_forged(go: Path, tmp_path: Path) -> None:
    edge, reader = put_out(tmp_path), TileReader(lambda path: (tmp_path / path).read_bytes(), SIZE)
    question = asked(tmp_path, reader, edge.root())
    question["Records"][3]["Proof"][2] = bytes(32)
    question["Trees"][4]["Root"] = bytes(32)
    answer = answered(go, question)
    assert [each.partition(":")[0] for each in answer["Refused"]] == ["record 256", "tree 300"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100, 257])
def test_pymerkle_has_our_roots_and_takes_our_paths(size: int) -> None:
    """Its proofs begin with the leaf, and count leaves from 1; those of consistency are its own."""
    entries = trees.entries_of(size)
    theirs = pymerkle.InmemoryTree.init_from_entries(entries, algorithm="sha256")
    edge = Edge()
    store = {tile.path: data for tile, data in edge.append(tree.hash_leaves(entries))}
    store |= {tile.path: data for tile, data in edge.partial()}
    reader, root = TileReader(store.get, size), edge.root()
    assert theirs.get_root() == root
    for index in range(0, size, 1 + size // 20):
        leaf, made = tree.hash_leaf(entries[index]), theirs.prove_inclusion(index + 1)
        merkle.verify_inclusion(leaf, index, size, made.path[1:], root)
        made.path = [leaf, *reader.inclusion_proof(index)]
        made.verify(leaf, root, index=index + 1, size=size)
        assert theirs.get_root(index + 1) == reader.root(index + 1)
        made.path[-1] = bytes(32)
        with pytest.raises(pymerkle.InvalidProof):
            made.verify(leaf, root, index=index + 1, size=size)
