"""Events as a certificate has them: each with its leaf's path to the root that is published.

What is read is checked: the table's event against its sealed leaf, the store's tiles against the
signed root. An event that the ledger has no longer is read of the store.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase
from lifecycle.proof import leaf
from lifecycle.proof.checkpoint import SignedCheckpoint, open_checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.leaf import Record, Text
from lifecycle.proof.merkle import inclusion_proof
from lifecycle.proof.story import Part, StoryEvent
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.proof.tiles import CHECKPOINT
from lifecycle.sealing.entries import read_records
from lifecycle.sealing.log import Log, index_of, read_log, read_seals
from purge.archive.destinations import Unreachable
from purge.proof.options import ProofOptions
from purge.proof.published import proven_leaves, read_lines
from purge.proof.ship import Altered, store_of
from purge.proof.store import ProofStore
from purge.proof.witnesses import COSIGNED

#: Of a part's fields: whether it is shown, and what it says; None leaves it out.
Shown = Callable[[tuple[Text, ...]], bool | None]
_FORGOTTEN = bytes(leaf.SALT_SIZE)


class NotPublished(LifecycleError):
    """The event is not in the published log yet."""


@dataclass(frozen=True)
class Prover:
    """One log as it is published, and the events of it."""

    using: str
    options: ProofOptions
    log: Log
    #: the size of the log from which on it has all that is to be proven
    least: int

    @classmethod
    def of_events(cls, events: Sequence[int], using: str, options: ProofOptions) -> "Prover":
        """Of the log in which the first event is sealed; `NotPublished` where it is in none yet."""
        found = [index_of(using, each) for each in events]
        log = read_log(using, found[0][0]) if found[0] else None
        if log is None:
            raise NotPublished(
                phrase(
                    "Event %(events)s is not sealed yet: the worker seals every second.",
                    events=events[0],
                )
            )
        own = [each[1] for each in found if each and each[0] == log.incarnation]
        return cls(using, options, log, max(own) + 1)

    @cached_property
    def store(self) -> ProofStore:
        """Where it is published."""
        return store_of(self.options, self.log)

    @cached_property
    def head(self) -> SignedCheckpoint:
        """The head that witnesses have cosigned, where it is late enough; else the newest."""
        data = self.store.read(CHECKPOINT)
        if data is None:
            raise NotPublished(
                phrase("There is no checkpoint yet: %(store)s.", store=self.store.title)
            )
        try:
            newest = self._opened(data)
        except ProofError as error:
            raise LifecycleError(
                phrase(
                    "The checkpoint of %(store)s: %(error)s.", store=self.store.title, error=error
                )
            ) from error
        other = self.store.read(COSIGNED)
        try:
            signed = self._opened(other) if other is not None else newest
        except ProofError:
            return newest
        late_enough = self.least <= signed.checkpoint.size <= newest.checkpoint.size
        return signed if late_enough and signed.witnesses else newest

    def _opened(self, data: bytes) -> SignedCheckpoint:
        keys = [each.key for each in self.options.witnesses]
        return open_checkpoint(data, [self.options.verifier_of(self.log.incarnation)], keys)

    @cached_property
    def tiles(self) -> TileReader:
        """The published tree; its tiles add up to the signed root."""
        head = self.head.checkpoint
        reader = TileReader(self.store.read, head.size)
        reader.check_root(head.root)
        return reader

    def prove(self, event: int, shown: Shown) -> StoryEvent:
        """An event with its path; raises `NotPublished`, `Altered`, or `LifecycleError`."""
        index = self._index(event)
        sealed = read_seals(self.using, self.log, index, index + 1)
        record = self._record(event, index)
        if sealed.salts == _FORGOTTEN:
            raise LifecycleError(
                phrase(
                    "The salt of event %(event)s is forgotten: nothing can open it.", event=event
                )
            )
        hashes = leaf.hash_parts(record, sealed.salts)
        fields = leaf.entry_fields(record, len(hashes), leaf.root_of_parts(hashes))
        parts = tuple(_parts(record, sealed.salts, hashes, shown))
        made = StoryEvent(fields, index, tuple(self.tiles.inclusion_proof(index)), parts)
        if made.leaf_hash != sealed.leaves:
            raise Altered(event)
        return made

    def _index(self, event: int) -> int:
        found = index_of(self.using, event)
        if found is None or found[0] != self.log.incarnation:
            raise NotPublished(
                phrase(
                    "Event %(event)s is not in the log %(origin)s.",
                    event=event,
                    origin=self.log.origin,
                )
            )
        if found[1] >= self.head.checkpoint.size:
            raise NotPublished(
                phrase("Event %(event)s is sealed, and not published yet: try again.", event=event)
            )
        return found[1]

    def _record(self, event: int, index: int) -> Record:
        known = read_records(self.using, [event])
        return known[event] if event in known else self._stored_record(event, index)

    def _stored_record(self, event: int, index: int) -> Record:
        """Of an event that has left the table: as it was published."""
        leaves_of = partial(proven_leaves, self.tiles, self.head.checkpoint)
        try:
            ((line,),) = read_lines(self.store, self.options.key, leaves_of, index, index + 1)
        except Unreachable:
            raise
        except LifecycleError as error:
            where = phrase("neither in the ledger nor in %(store)s", store=self.store.title)
            raise LifecycleError(
                phrase(
                    "Event %(event)s is %(where)s: %(error)s.",
                    event=event,
                    where=where,
                    error=error,
                )
            ) from None
        return line.record


def _parts(record: Record, salt: bytes, hashes: list[bytes], shown: Shown) -> Iterable[Part]:
    edge = Edge()
    held = {tile.path: data for tile, data in edge.append(b"".join(hashes))}
    held |= {tile.path: data for tile, data in edge.partial()}
    nodes = TileReader(held.get, len(hashes)).nodes
    for place, fields in enumerate(leaf.parts_of(record)):
        opened = shown(fields)
        if opened is None:
            continue
        path = inclusion_proof(place, len(hashes), nodes)
        part = Part.opened(place, path, leaf.blind_of(salt, fields), fields)
        yield part if opened else part.closed
