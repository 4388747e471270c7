"""Whether the ledger is what was sealed and published: signatures, tree, tiles, events.

`deep` reads all of it; otherwise the newest events and some parts taken at random are compared, and
the signed checkpoint, the edge of the tree and the table's own tree as a whole. What could not be
read is told as such, and does not count as checked.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.hooks import LogCheck
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import CHECKPOINT
from lifecycle.proof.tree import HASH_SIZE, Frontier
from lifecycle.sealing import gaps
from lifecycle.sealing.entries import read_entries
from lifecycle.sealing.log import Log, Sealed, read_log, read_seals
from purge.archive.destinations import Unreachable
from purge.proof.options import ProofOptions
from purge.proof.ship import store_of
from purge.proof.store import ProofStore
from purge.proof.verify_left import Missing, check_left, left_of
from purge.proof.verify_store import read_bundles, read_tiles
from purge.proof.witnesses import ask_witnesses

PART = 10_000  # events at once
SAMPLES = 3  # parts taken at random, beside the newest one
SHOWN = 20
TOLERATED = 3600.0  # seconds by which a later event may have an earlier time


def verify(using: str, options: ProofOptions, deep: bool = False) -> LogCheck:
    """Compare each log of a database with what was published. Changes nothing."""
    checked = LogCheck()
    newest = read_log(using)
    if newest is None:
        checked.unread.append("no log of this ledger is begun: nothing is sealed")
    for (number,) in fetch(using, statement(__file__, "logs")):
        log = read_log(using, number)
        if log and newest:
            _verify_log(using, options, log, deep, checked, log == newest)
    if newest and deep:
        _find_inserted(using, newest, checked)
        _find_turned_clock(using, newest, checked)
    return checked


def _verify_log(
    using: str, options: ProofOptions, log: Log, deep: bool, checked: LogCheck, in_use: bool
) -> None:
    """Every step has its own chance: what one cannot read does not hide what another finds.

    Of a log before the one in use the ledger may have less than was published.
    """
    if log.alarm:
        checked.problems.append(f"{log.origin}: {log.alarm['kind']}: {log.alarm['text']}")
    head, root, missing = None, b"", list[Missing]()
    with _Told(log, checked):
        store = store_of(options, log)
        head = _head_of(options, log, store)
        if head is None:
            checked.unread.append(f"{log.origin}: nothing of it is published yet")
    with _Told(log, checked):
        published = head.size if head else 0
        root = _compare_table(using, log, deep, checked, published, missing)
    if head is None:
        return
    with _Told(log, checked):
        if in_use and head.size > log.size:
            raise LifecycleError(f"the checkpoint has {head.size} events, the ledger {log.size}")
        TileReader(store.read, head.size).check_root(head.root)
        is_another = root not in (b"", head.root)  # then the first event of it is looked for
        _compare_tiles(using, log, store, head, deep or is_another, checked)
    with _Told(log, checked):
        if missing:
            checked.lines.append(check_left(using, options, store, head, missing, deep))
    with _Told(log, checked):
        if deep:
            checked.lines.append(read_tiles(store, head))
            checked.lines.append(read_bundles(store, options, head))
    with _Told(log, checked):
        if in_use:
            _ask_witnesses(options, log, checked)


@dataclass
class _Told:
    """Turns what is raised inside into a line of what was checked."""

    log: Log
    checked: LogCheck

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Unreachable):
            self.checked.unread.append(f"{self.log.origin}: {error}")
        elif isinstance(error, ProofError | LifecycleError | LookupError):
            self.checked.problems.append(f"{self.log.origin}: {error}")
        else:
            return False
        return True


def _head_of(options: ProofOptions, log: Log, store: ProofStore) -> Checkpoint | None:
    data = store.read(CHECKPOINT)
    if data is None:
        if log.shipped:
            raise LifecycleError(f"{log.shipped} events were published, and no checkpoint is there")
        return None
    head = open_checkpoint(data, [options.verifier_of(log.incarnation)]).checkpoint
    if head.size < log.shipped:
        raise LifecycleError(f"the checkpoint has {head.size} events of {log.shipped} published")
    return head


def _compare_table(
    using: str, log: Log, deep: bool, checked: LogCheck, published: int, missing: list[Missing]
) -> bytes:
    """The events of the table against their leaves, and the leaves against the table's own tree.

    Returns the root that this tree had at the size that is published; adds events that the table
    has not and an event `pruned` tells of.
    """
    tree, compared, root = Frontier(), 0, b""
    parts = set(_parts(log.size, deep))
    for start, end in _parts(log.size, deep=True):
        sealed = read_seals(using, log, start, end)
        until = HASH_SIZE * max(0, min(published - start, end - start))
        tree.append(sealed.leaves[:until])
        root = tree.root() if tree.size == published else root
        tree.append(sealed.leaves[until:])
        if (start, end) in parts:
            missing += _compare_events(using, log, sealed)
            compared += end - start
    if tree.hashes != log.frontier().hashes:
        raise LifecycleError("the leaves in the table do not add up to its tree")
    checked.lines.append(f"{log.origin}: {compared} of {log.size} events are as they were sealed")
    return root


def _parts(size: int, deep: bool) -> Iterator[tuple[int, int]]:
    """Ranges of indexes, from the newest: all, or the newest one and some others."""
    every = [(start, min(start + PART, size)) for start in range(0, size, PART)]
    if not deep and len(every) > SAMPLES + 1:
        older = random.sample(every[:-1], SAMPLES)
        every = [*sorted(older), every[-1]]
    yield from every


def _compare_events(using: str, log: Log, sealed: Sealed) -> list[Missing]:
    made = read_entries(using, sealed.salt_of())
    absent = [
        Missing(number, sealed.start + place)
        for place, number in enumerate(sealed.events)
        if number not in made
    ]
    left = left_of(using, absent)
    for place, number in enumerate(sealed.events):
        leaf = sealed.leaves[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        index = sealed.start + place
        if number in left:
            continue
        if number not in made:
            raise LifecycleError(f"event {number} (index {index}) is not in the table any more")
        if sha256(b"\x00" + made[number]).digest() != leaf:
            raise LifecycleError(f"event {number} (index {index}) is not what was sealed")
    return [each for each in absent if each.number in left]


def _compare_tiles(
    using: str, log: Log, store: ProofStore, head: Checkpoint, deep: bool, checked: LogCheck
) -> None:
    reader = TileReader(store.read, head.size)
    for start, end in _parts(min(head.size, log.size), deep):
        sealed, published = read_seals(using, log, start, end), reader.leaf_hashes(start, end)
        for place, number in enumerate(sealed.events if sealed.leaves != published else []):
            there = slice(place * HASH_SIZE, (place + 1) * HASH_SIZE)
            if sealed.leaves[there] != published[there]:
                text = f"event {number} (index {start + place}) is not what was published"
                raise LifecycleError(text)
    checked.lines.append(f"{log.origin}: the checkpoint of {head.size} is signed, and its tiles")


def _find_inserted(using: str, log: Log, checked: LogCheck) -> None:
    """Events below the highest sealed one that the sealer has not seen, and does not wait for."""
    params = {"last": log.last_event}
    rows = fetch(using, statement(__file__, "unsealed"), params)
    waited = [each for gap in gaps.from_json(log.gaps) for each in gap.ranges]
    strange = [n for (n,) in rows if not any(low <= n <= high for low, high in waited)]
    checked.problems += [
        f"{log.origin}: event {number} was put into the table after others were sealed"
        for number in strange[:SHOWN]
    ]


def _find_turned_clock(using: str, log: Log, checked: LogCheck) -> None:
    """Where the clock of the database was turned back, or on and back again.

    Numbers and times of events are drawn together: a later number has no earlier time.
    """
    params = {"last": log.last_event, "tolerated": TOLERATED}
    checked.problems += [
        f"{log.origin}: event {number} has the time {at}, and one before it {latest}:"
        " the clock was turned"
        for number, at, latest in fetch(using, statement(__file__, "turned_back"), params)
    ]


def _ask_witnesses(options: ProofOptions, log: Log, checked: LogCheck) -> None:
    """Whether what is published continues what each witness has signed; one that is away is told
    as not read."""
    asked = ask_witnesses(options, log, anew=True)
    checked.problems += [f"{log.origin}: {each.text}" for each in asked.refusals]
    checked.unread += [f"{log.origin}: {name}: {why}" for name, why in asked.silent.items()]
    if asked.signed:
        checked.lines.append(f"{log.origin}: cosigned by {', '.join(asked.signed)}")
