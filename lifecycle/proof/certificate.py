"""Certificates: a `.tlog-proof` whose extra says which events it is about, and what the site says.

Nothing in the extra is believed as it stands. Each event's leaf is made anew of its fields and has
to be in the log; what no event proves, the site's statement, has to be signed by the log's key.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lifecycle.proof.checkpoint import SignedCheckpoint
from lifecycle.proof.encoding import joined, lines_of, to_base64
from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.note import Note, Signer, Verifier, parse, sign
from lifecycle.proof.plain import dump, hashes_of, list_of, load, object_of, text_of
from lifecycle.proof.story import ENDINGS, StoryEvent
from lifecycle.proof.tlog_proof import TlogProof

_HEADER = "lifecycle.certificate 1"


class Statement(NamedTuple):
    """What the site says beside its log: of which certificate, and lines of a title and a text."""

    number: str
    leaves: tuple[bytes, ...]
    lines: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What is signed. Its second line is no number: no checkpoint looks like it."""
        said = {
            "leaves": [*map(to_base64, self.leaves)], "lines": [list(line) for line in self.lines],
            "number": self.number,
        }  # fmt: skip
        return joined((_HEADER, dump(said)))

    @classmethod
    def parse(cls, text: str) -> "Statement":
        """Raises `Malformed`."""
        header, *rest = lines_of(text)
        if header != _HEADER or len(rest) != 1:
            raise Malformed("no statement of version 1")
        said = object_of(load(rest[0]), {"leaves", "lines", "number"})
        pairs = [tuple(map(text_of, list_of(each))) for each in list_of(said["lines"])]
        lines = tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
        if len(lines) != len(pairs):
            raise Malformed("a line has a title and a text")
        return cls(text_of(said["number"]), hashes_of(said["leaves"]), lines)


class Certificate(NamedTuple):
    """Events of a log, the ending first, with the head that proves them and the statement."""

    events: tuple[StoryEvent, ...]
    checkpoint: Note
    statement: Note

    @classmethod
    def make(
        cls,
        events: Sequence[StoryEvent],
        checkpoint: Note,
        origin: str,
        lines: Sequence[tuple[str, str]],
        signer: Signer,
    ) -> "Certificate":
        """A certificate of these events, whose statement the log's key signs."""
        leaves = tuple(each.leaf_hash for each in events)
        statement = Statement(number_in(origin, events[0]), leaves, tuple(lines))
        return cls(tuple(events), checkpoint, sign(statement.text, signer))

    @property
    def closed(self) -> "Certificate":
        """The same, naming nobody: it proves the same, and can be shown to anybody."""
        return self._replace(events=tuple(each.closed for each in self.events))

    def encode(self) -> bytes:
        """As it is written; raises `Malformed` where no reader would take it."""
        first = self.events[0]
        events = [each.plain() for each in self.events]
        extra = dump({"events": events, "statement": self.statement.encode().decode()}).encode()
        data = TlogProof(first.leaf_index, first.path, self.checkpoint, extra).encode()
        if Certificate.parse(data) != self:
            raise Malformed("no certificate")
        return data

    @classmethod
    def parse(cls, data: bytes) -> "Certificate":
        """A certificate as it is written, proving nothing yet; raises `Malformed`."""
        proof = TlogProof.parse(data)
        try:
            extra = (proof.extra or b"").decode()
        except UnicodeDecodeError as error:
            raise Malformed("no UTF-8") from error
        found = object_of(load(extra), {"events", "statement"})
        events = tuple(StoryEvent.read(each) for each in list_of(found["events"]))
        if not events or events[0].leaf_index != proof.leaf_index or events[0].path != proof.hashes:
            raise Malformed("the first event is not the one that is proven")
        return cls(events, proof.checkpoint, parse(text_of(found["statement"]).encode()))

    def verify(
        self, log: Iterable[Verifier], witnesses: Iterable[Verifier] = (), quorum: int = 0
    ) -> "Checked":
        """What it proves; raises `ProofError` where anything of it does not hold."""
        log, first = list(log), self.events[0]
        proof = TlogProof(first.leaf_index, first.path, self.checkpoint)
        signed = proof.verify(first.leaf_hash, log, witnesses, quorum)
        head = signed.checkpoint
        for each in self.events:
            each.verify(head.size, head.root)
        _check_story(self.events)
        return Checked(self, signed, self._stated(log, head.origin))

    def _stated(self, log: Iterable[Verifier], origin: str) -> Statement:
        good = self.statement.verified([key for key in log if key.name == origin])
        if len(good) != len(self.statement.signatures):
            raise Unverified("a signature of a stranger under the statement")
        statement = Statement.parse(self.statement.text)
        leaves = tuple(each.leaf_hash for each in self.events)
        if (statement.number, statement.leaves) != (number_in(origin, self.events[0]), leaves):
            raise Unverified("the statement is that of another certificate")
        return statement


class Checked(NamedTuple):
    """A certificate that holds: all of its events are in the log, its statement is signed."""

    certificate: Certificate
    signed: SignedCheckpoint
    statement: Statement


def number_in(origin: str, event: StoryEvent) -> str:
    """A certificate's number: the log's origin, and the index of the ending in it."""
    return f"{origin}/{event.leaf_index}"


def _check_story(events: Sequence[StoryEvent]) -> None:
    """Raises `Unverified` where the events are not those of one ending, or of one run."""
    if events[0].said("kind") not in ENDINGS:
        raise Unverified(f"{events[0].said('kind')!r} is no ending")
    if len({each.leaf_index for each in events}) != len(events):
        raise Unverified("an event twice")
    rows = {row[:2] for row in (each.part("subject") for each in events) if row}
    if len(rows) > 1:
        raise Unverified("the events are about different rows")
    if rows and not _ends_it(events):
        raise Unverified("the ending is not about the row that the others name")


def _ends_it(events: Sequence[StoryEvent]) -> bool:
    """Whether the ending names the row itself, by the event whose rows it shares, or as a table."""
    ending = events[0]
    shared = [each for each in events if each.said("id") == ending.said("basis")]
    named = any(each.part("subject") for each in (ending, *shared))
    return named or ending.said("kind") == "truncated"
