"""`add-checkpoint`: what a log asks a witness, and what the witness answers."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.encoding import (
    hash_from_base64,
    joined,
    to_base64,
    to_number,
    without_controls,
)
from lifecycle.proof.errors import Malformed, ProofError, Unverified
from lifecycle.proof.keys import SignerKey, VerifierKey
from lifecycle.proof.merkle import verify_consistency
from lifecycle.proof.note import Note, Signature, parse
from lifecycle.witness.state import Head, State

MOST_HASHES = 63
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


class Request(NamedTuple):
    """A checkpoint, and the proof that it continues that of an earlier size."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Note

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Raises `Malformed` for whatever is not exactly one."""
        head, empty, note = without_controls(body).partition("\n\n")
        first, *lines = head.split("\n")
        if not empty or not first.startswith("old ") or len(lines) > MOST_HASHES:
            raise Malformed("no request for a cosignature")
        proof = tuple(map(hash_from_base64, lines))
        return cls(to_number(first.removeprefix("old ")), proof, parse(note.encode()))

    def encode(self) -> bytes:
        """The body of the request."""
        lines = (f"old {self.old}", *map(to_base64, self.proof), "")
        return joined(lines).encode() + self.checkpoint.encode()


class Answer(NamedTuple):
    """A status of HTTP, and what goes with it."""

    status: int
    body: bytes = b""
    content_type: str = TEXT


class Witness:
    """Answers requests, one at a time: what is compared with the state is what changes it."""

    def __init__(
        self, key: SignerKey, logs: Mapping[str, Sequence[VerifierKey]], state: State
    ) -> None:
        self._key, self._logs, self._state = key, logs, state
        self._lock = threading.Lock()

    def answer(self, body: bytes) -> Answer:
        """What to say to a request; signed only after the new head is on the disk."""
        try:
            request = Request.parse(body)
            head = Checkpoint.parse(request.checkpoint.text)
        except Malformed as error:
            return Answer(400, f"{error}\n".encode())
        if head.origin not in self._logs:
            return Answer(404, b"unknown log\n")
        try:
            request.checkpoint.verified(self._logs[head.origin])
        except Unverified as error:
            return Answer(403, f"{error}\n".encode())
        if request.old > head.size:
            return Answer(400, b"the old size is larger\n")
        with self._lock:
            return self._decide(request, head)

    def _decide(self, request: Request, head: Checkpoint) -> Answer:
        last = self._state.get(head.origin)
        if request.old != last.size or (last.size == head.size and last.root != head.root):
            return Answer(409, f"{last.size}\n".encode(), SIZE)
        try:
            verify_consistency(last.size, last.root, head.size, head.root, request.proof)
        except ProofError as error:
            return Answer(422, f"{error}\n".encode())
        if head.size != last.size:
            self._state.put(head.origin, Head(head.size, head.root))
        return Answer(200, str(self._cosigned(request.checkpoint)).encode())

    def _cosigned(self, note: Note) -> Signature:
        value = self._key.cosign(note.text.encode(), int(time.time()))
        return Signature(self._key.name, self._key.key_id, value)
