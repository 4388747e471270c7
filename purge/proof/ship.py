"""Publish what is sealed: tiles, entries, events, then the signed checkpoint.

The order, each step finished before the next; killed between two, the next run finishes it:

    choose      note in the database up to which size is shipped now
    put         tiles, entries and the bundle of events; each is read back
    sign        the checkpoint of just that size; it replaces the one before, and no other
    note        in the database that it is shipped

So what is signed is durable, and a log signs one tree: of what is chosen every run makes the same.
"""

import json
from hashlib import sha256

from lifecycle.db.connection import fetch, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.note import sign
from lifecycle.proof.tiled import Edge
from lifecycle.proof.tiles import (
    CHECKPOINT,
    MOST_LEVELS,
    WIDTH,
    Tile,
    bundles_of,
    encode_bundle,
    tile_count,
)
from lifecycle.proof.tree import HASH_SIZE
from lifecycle.sealing.entries import read_entries, read_texts
from lifecycle.sealing.log import Log, Sealed, note, read_log, read_seals, try_lock
from purge.archive.destinations import destination
from purge.proof import bundle
from purge.proof.behind import has_replayed
from purge.proof.options import ProofOptions
from purge.proof.store import ProofStore

MOST = 10_000  # events at once
MOST_SUBJECTS = 300_000  # rows of theirs, more or less; one event goes whatever it has


class Altered(LifecycleError):
    """An event in the table is not what was sealed."""

    def __init__(self, event: int) -> None:
        super().__init__(f"Event {event} is not what was sealed.")
        self.event = event


def store_of(options: ProofOptions, log: Log) -> ProofStore:
    """Where a log is published."""
    return ProofStore(destination(), f"{options.prefix}{log.origin}/", options.lock)


def ship_all(using: str, options: ProofOptions) -> int:
    """Ship all that is sealed now; returns how many events. 0 where another session does."""
    total = 0
    while done := ship(using, options):
        total += done
    return total


def ship(using: str, options: ProofOptions) -> int:
    """Ship one part of what is sealed; returns how many events. 0 where there is none.

    Raises `Altered`, `Conflict`, `ObjectChanged`, `Unreachable`; then the part is tried again.
    """
    if not choose(using) or not _may_be_shipped(using, options):
        return 0
    with own_transaction(using):
        log = read_log(using) if try_lock(using) else None
        if log is None or log.shipping is None or log.alarm:
            return 0
        edge, checkpoint = publish(using, options, log, log.shipping)
        note(using, log, edge, shipped=log.shipping, shipping=None, checkpoint=checkpoint.decode())
        return log.shipping - log.shipped


def _may_be_shipped(using: str, options: ProofOptions) -> bool:
    """Whether the replica that the site has named has all of the part that was chosen."""
    if not options.after:
        return True
    log = read_log(using)
    if log is None or log.shipping is None:
        return False
    return has_replayed(using, options.after, log.incarnation, log.shipping)


def choose(using: str) -> bool:
    """Note which size is to be shipped next, unless one is noted; False where nothing is sealed."""
    with own_transaction(using):
        log = read_log(using) if try_lock(using) else None
        if log is None or log.alarm:
            return False
        if log.shipping is None and log.shipped < log.size:
            note(using, log, shipping=_next_size(using, log))
        return log.shipped < log.size


def _next_size(using: str, log: Log) -> int:
    end = min(log.size, log.shipped + MOST)
    events = read_seals(using, log, log.shipped, end).events
    params = {"events": events, "most": MOST_SUBJECTS}
    fitting = scalar(using, statement(__file__, "fitting"), params)
    return log.shipped + max(int(fitting), 1)


def publish(using: str, options: ProofOptions, log: Log, size: int) -> tuple[bytes, bytes]:
    """Have the store show the log at a size; its partial tiles, and the signed checkpoint."""
    store = store_of(options, log)
    store.check_lock()
    start = log.shipped - log.shipped % WIDTH
    sealed = read_seals(using, log, start, size)
    entries = _entries(using, sealed)
    edge = Edge(log.shipped, unpacked(log.shipped, log.edge))
    tiles = dict(edge.append(sealed.leaves[(log.shipped - start) * HASH_SIZE :]))
    tiles |= dict(edge.partial())
    objects = {tile.path: data for tile, data in tiles.items()}
    bundles = bundles_of(size, log.shipped)
    objects |= {each.path: _bundle_at(each, start, entries) for each in bundles}
    store.put_all(objects)
    _put_events(using, options, store, sealed, log.shipped, size)
    return packed(edge), _put_checkpoint(options, store, log, size, edge.root())


def _bundle_at(tile: Tile, start: int, entries: list[bytes]) -> bytes:
    _, index, width = tile
    first = index * WIDTH - start
    return encode_bundle(entries[first : first + width])


def _entries(using: str, sealed: Sealed) -> list[bytes]:
    """The entries of sealed events; `Altered` for the first that has another leaf."""
    made, entries = read_entries(using, sealed.salt_of()), []
    for place, number in enumerate(sealed.events):
        leaf = sealed.leaves[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        if number not in made or sha256(b"\x00" + made[number]).digest() != leaf:
            raise Altered(number)
        entries.append(made[number])
    return entries


def _put_events(
    using: str, options: ProofOptions, store: ProofStore, sealed: Sealed, start: int, end: int
) -> None:
    """Put the bundle of events; one of an earlier try is another text of the same events."""
    path, skipped = bundle.path_of(start, end), start - sealed.start
    salts = sealed.salt_of()
    numbers = sealed.events[skipped:]
    texts = read_texts(using, numbers)
    params = {"events": list(numbers)}
    told = {n: {"identities": i} for n, i in fetch(using, statement(__file__, "told"), params)}
    lines = [
        {"index": start + place, "salt": salts[number].hex(), "record": json.loads(text)}
        | told.get(number, {})
        for place, (number, text) in enumerate(zip(numbers, texts, strict=True))
    ]
    data, stored = bundle.encode(lines), store.read(path)
    if stored is None:
        store.put(path, bundle.lock(data, options.key, path))
    elif bundle.unlock(stored, options.key, path) != data:
        raise LifecycleError(f"{path} in {store.title} has other events than were sealed.")
    else:
        store.retain(path)


def _put_checkpoint(
    options: ProofOptions, store: ProofStore, log: Log, size: int, root: bytes
) -> bytes:
    text = Checkpoint(log.origin, size, root).text
    data = sign(text, options.signer_of(log.incarnation)).encode()
    store.replace(CHECKPOINT, data, log.checkpoint.encode() or None)
    return data


def packed(edge: Edge) -> bytes:
    """The partial tiles of a tree one after the other, as a log's row has them."""
    return b"".join(data for _, data in edge.partial())


def unpacked(size: int, data: bytes) -> list[bytes]:
    """The partial tile of each level, of those of a tree of this size one after the other."""
    rows, place = [], 0
    for level in range(MOST_LEVELS):
        end = place + tile_count(level, size) % WIDTH * HASH_SIZE
        rows.append(data[place:end])
        place = end
    return rows
