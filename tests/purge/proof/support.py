"""A log in a folder, and what its store must hold: read as by somebody who knows only its key."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import override_settings

from lifecycle.db.connection import fetch
from lifecycle.proof import leaf
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.encoding import to_base64
from lifecycle.proof.keys import COSIGNATURE, SignerKey
from lifecycle.proof.tiles import decode_bundle, tiles_of
from lifecycle.proof.tree import split
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.proof import bundle
from purge.proof.bundle import Line
from purge.proof.detect import State, decide
from purge.proof.options import ProofOptions, proof_options
from purge.proof.ship import ship_all, store_of
from purge.proof.work import publish_now
from purge.runner import run_due
from tests.lifecycle.sealing.support import root_by_hand, write
from tests.support import kinds, run_until_idle
from tests.zoo.factories import ExpiredTokenFactory
from tests.zoo.models import Token

USING, ORIGIN = "default", "example.org/ledger"
SIGNER = SignerKey.generate(ORIGIN)
LOG = SIGNER.named(f"{ORIGIN}/1").verifier
WITNESS = SignerKey("witness.example/w1", bytes(range(32)), COSIGNATURE)
KEY = to_base64(secrets.token_bytes(32))
PROOF: dict[str, Any] = {"origin": ORIGIN, "signing_key": SIGNER.secret_text, "key": lambda: KEY}


def in_folder(path: Path, **changes: Any) -> override_settings:
    """The settings of a site whose log goes into a folder."""
    return override_settings(LIFECYCLE_PROOF=PROOF | changes, LIFECYCLE_ARCHIVE_DIR=str(path))


def options() -> ProofOptions:
    """The options; the setting is on."""
    found = proof_options()
    assert found
    return found


def publish() -> int:
    """Seal and ship all that is committed."""
    seal_all(USING)
    return ship_all(USING, options())


def read_store() -> list[Line]:
    """What the store says, every part of it checked against the others; the events."""
    log = read_log(USING)
    assert log
    store = store_of(options(), log)
    head = read_head()
    leaves: list[bytes] = []
    for tile in (tile for tile in tiles_of(head.size) if tile.level == 0):
        data = store.read(tile.path)
        entries = store.read(tile._replace(level=-1).path)
        assert data
        assert entries
        hashes = [
            hashlib.sha256(b"\0" + each).digest() for each in decode_bundle(entries, tile.width)
        ]
        assert split(data) == hashes
        leaves += hashes
    assert root_by_hand(leaves) == head.root
    for tile in (tile for tile in tiles_of(head.size) if tile.level == 1):
        whole = [root_by_hand(leaves[i * 256 : (i + 1) * 256]) for i in range(tile.width)]
        assert store.read(tile.path) == b"".join(whole)
    return _events(store, leaves)


def _events(store: Any, leaves: list[bytes]) -> list[Line]:
    lines: list[Line] = []
    for path in store.names("events/"):
        stored = store.read(path)
        first, end = bundle.span_of(path)
        lines += bundle.decode(bundle.unlock(stored, options().key, path), first)
        assert len(lines) == end
    assert [line.leaf_index for line in lines] == list(range(len(leaves)))
    assert [leaf.leaf_of(line.record, line.salt) for line in lines] == leaves
    return lines


def read_head() -> Checkpoint:
    """The checkpoint of the store, its signature checked."""
    log = read_log(USING)
    assert log
    data = store_of(options(), log).read("checkpoint")
    assert data
    verifier = SIGNER.named(log.origin).verifier
    return open_checkpoint(data, [verifier]).checkpoint


def state() -> State:
    return decide(USING, options()).state


def alarm() -> dict[str, Any]:
    log = read_log(USING)
    assert log
    return log.alarm


def published(count: int = 3) -> None:
    write(count)
    publish_now(USING)
    log = read_log(USING)
    assert log
    assert read_head().size == log.size


def a_due_row() -> Token:
    return ExpiredTokenFactory()


def nothing_ends(row: Token) -> str:
    """That a pass ends nothing; why, as the pass says."""
    before = len(kinds())
    stopped = run_due()["tokens"].stopped
    assert len(kinds()) == before
    assert Token.objects.filter(pk=row.pk).exists()
    return stopped


def it_ends(row: Token) -> None:
    run_until_idle()
    assert not Token.objects.filter(pk=row.pk).exists()


def as_superuser(text: str, **params: object) -> None:
    """Without the triggers that guard the ledger."""
    with transaction.atomic():
        fetch(USING, "SET LOCAL session_replication_role = replica")
        fetch(USING, text, params)
