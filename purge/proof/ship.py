"""Publish what is sealed: tiles, entries, events, then the signed checkpoint.

The order, each step finished before the next; killed between two, the next run finishes it:

    choose      note in the database up to which size is shipped now
    put         tiles, entries and the bundle of events; each is read back
    sign        the checkpoint of just that size; it replaces the one before, and no other
    note        in the database that it is shipped

So what is signed is durable, and a log signs one tree: of what is chosen every run makes the same.
"""

from lifecycle.db.connection import own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.leaf import SALT_SIZE
from lifecycle.proof.note import sign
from lifecycle.proof.tiled import Edge
from lifecycle.proof.tiles import (
    CHECKPOINT,
    MOST_LEVELS,
    WIDTH,
    bundles_of,
    tile_count,
)
from lifecycle.proof.tree import HASH_SIZE, hash_leaf
from lifecycle.sealing.entries import Bundle, array_of, read_bundles, read_entries
from lifecycle.sealing.log import Log, Sealed, note, read_log, read_seals, try_lock
from lifecycle.telemetry import span
from purge.archive.destinations import destination
from purge.proof import bundle
from purge.proof.behind import has_replayed
from purge.proof.bundle import MOST
from purge.proof.options import ProofOptions
from purge.proof.store import ProofStore

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
    with span("shipping", database=using) as tell:
        tell(events=(shipped := _ship(using, options)))
    return shipped


def _ship(using: str, options: ProofOptions) -> int:
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
    params = {"events": array_of(events), "most": MOST_SUBJECTS}
    fitting = scalar(using, statement(__file__, "fitting"), params)
    return log.shipped + max(int(fitting), 1)


def publish(using: str, options: ProofOptions, log: Log, size: int) -> tuple[bytes, bytes]:
    """Have the store show the log at a size; its partial tiles, and the signed checkpoint."""
    store = store_of(options, log)
    store.check_lock()
    start = log.shipped - log.shipped % WIDTH
    sealed = read_seals(using, log, start, size)
    bundles = _read(using, sealed)
    edge = Edge(log.shipped, unpacked(log.shipped, log.edge))
    tiles = dict(edge.append(sealed.leaves[(log.shipped - start) * HASH_SIZE :]))
    tiles |= dict(edge.partial())
    objects = {tile.path: data for tile, data in tiles.items()}
    tiles_of_entries = bundles_of(size, log.shipped)
    objects |= {t.path: each.entries for t, each in zip(tiles_of_entries, bundles, strict=True)}
    store.put_all(objects)
    records = "".join([each.records for each in bundles])
    _put_events(options, store, sealed, records, log.shipped)
    return packed(edge), _put_checkpoint(options, store, log, size, edge.root())


def _read(using: str, sealed: Sealed) -> list[Bundle]:
    """Sealed events as they are published; `Altered` for the first that has another leaf."""
    bundles = read_bundles(using, sealed.events, sealed.salts, WIDTH)
    if b"".join([each.leaves for each in bundles]) == sealed.leaves:
        return bundles
    made = read_entries(using, sealed.salt_of())
    for place, number in enumerate(sealed.events):
        leaf = sealed.leaves[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        if number not in made or hash_leaf(made[number]) != leaf:
            raise Altered(number)
    raise LifecycleError("events have changed while they were read")


def _put_events(
    options: ProofOptions, store: ProofStore, sealed: Sealed, records: str, start: int
) -> None:
    """Put the bundle of events; one of an earlier try is another text of the same events."""
    skipped = start - sealed.start
    lines, salts = records.split("\n", skipped)[-1], sealed.salts[skipped * SALT_SIZE :]
    path = bundle.path_of(start, sealed.start + len(sealed.events))
    stored = store.read(path)
    if stored is None:
        store.put(path, bundle.lock(bundle.encode(lines, salts), options.key, path))
    elif bundle.unpack(bundle.unlock(stored, options.key, path)) != (lines.encode(), salts):
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
