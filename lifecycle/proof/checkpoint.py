"""Checkpoints, as C2SP `tlog-checkpoint` says: a note in which a log says how large it is.

A log signs under its own origin: a checkpoint is taken only with a signature of a key of that name.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lifecycle.proof.encoding import hash_from_base64, joined, lines_of, to_base64, to_number
from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.note import Note, Verifier, parse


class Checkpoint(NamedTuple):
    """The head of a log's tree: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed; raises `Malformed` where no reader would take it."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        text = joined(lines)
        if Checkpoint.parse(text) != self:
            raise Malformed("no checkpoint")
        return text

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The head that a note's text names; raises `Malformed`."""
        lines = lines_of(text)
        if len(lines) < 3 or not all(lines):
            raise Malformed("a checkpoint has three lines or more, and none is empty")
        origin, size, root, *extensions = lines
        return cls(origin, to_number(size), hash_from_base64(root), tuple(extensions))


class SignedCheckpoint(NamedTuple):
    """A checkpoint whose signatures were checked, with the witnesses that cosigned it."""

    checkpoint: Checkpoint
    note: Note
    witnesses: frozenset[str]


def open_checkpoint(
    data: bytes | Note,
    log: Iterable[Verifier],
    witnesses: Iterable[Verifier] = (),
    quorum: int = 0,
) -> SignedCheckpoint:
    """A checkpoint signed by a key of the log that it names, and so many of the witnesses.

    Raises `Malformed`; `Unverified` where that is not so, or a known key's signature is wrong.
    """
    note = data if isinstance(data, Note) else parse(data)
    checkpoint = Checkpoint.parse(note.text)
    note.verified([key for key in log if key.name == checkpoint.origin])
    names = frozenset(each.name for each in note.signed_by(witnesses))
    if len(names) < quorum:
        raise Unverified(f"cosigned by {len(names)} of the witnesses, not by {quorum}")
    return SignedCheckpoint(checkpoint, note, names)
