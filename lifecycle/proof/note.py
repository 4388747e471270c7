"""Signed notes, as C2SP `signed-note` says: a text, and below it a line for each signature.

The text of a note means nothing until `verified` has said whose signatures are good.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol

from lifecycle.proof.encoding import from_base64, lines_of, to_base64, without_controls
from lifecycle.proof.errors import Malformed, Unverified

#: more signatures than this, or a longer note, are refused before anything is computed
MOST_SIGNATURES = 100
MOST_BYTES = 1_000_000
_DASH = "\N{EM DASH} "


class Signature(NamedTuple):
    """One signature line: who says to have signed, and the bytes that say so."""

    name: str
    key_id: int
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {to_base64(self.key_id.to_bytes(4, 'big') + self.value)}\n"


class Signer(Protocol):
    """Signs notes under a name: a key that is here, or far away."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> int: ...
    def sign(self, text: bytes) -> bytes:
        """The bytes of the signature of a note's text."""


class Verifier(Protocol):
    """Checks the signatures of one key under one name."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> int: ...
    def is_signed(self, text: bytes, value: bytes) -> bool:
        """Whether these bytes are this key's signature of the text."""


class Note(NamedTuple):
    """A text with signatures of which nothing is known yet."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is written; raises `Malformed` where no reader would take it."""
        encoded = f"{self.text}\n{''.join(map(str, self.signatures))}".encode()
        if parse(encoded) != self:
            raise Malformed("a note's text ends in a newline")
        return encoded

    def verified(self, verifiers: Iterable[Verifier]) -> list[Signature]:
        """The signatures of these keys; raises `Unverified` if one is wrong, or there is none."""
        good = self.signed_by(verifiers)
        if not good:
            raise Unverified("no signature of a known key")
        return good

    def signed_by(self, verifiers: Iterable[Verifier]) -> list[Signature]:
        """The signatures of these keys, if any; raises `Unverified` if one is wrong.

        Signatures of other keys are left out. Two keys under one name and id are refused.
        """
        known = _by_name(verifiers)
        good = [each for each in self.signatures if (each.name, each.key_id) in known]
        for name, number, value in good:
            if not known[name, number].is_signed(self.text.encode(), value):
                raise Unverified(f"the signature of {name} is wrong")
        return good


def _by_name(verifiers: Iterable[Verifier]) -> dict[tuple[str, int], Verifier]:
    known: dict[tuple[str, int], Verifier] = {}
    for each in verifiers:
        if known.setdefault((each.name, each.key_id), each) != each:
            raise Unverified(f"two keys under {each.name}+{each.key_id:08x}")
    return known


def sign(text: str, *signers: Signer) -> Note:
    """A note of this text with a signature of each."""
    data = text.encode()
    return Note(text, tuple(Signature(s.name, s.key_id, s.sign(data)) for s in signers))


def parse(data: bytes) -> Note:
    """A note as it is written; raises `Malformed` for whatever is not exactly one."""
    if len(data) > MOST_BYTES:
        raise Malformed(f"a note of {len(data)} bytes")
    text = without_controls(data)
    end = text.rfind("\n\n")
    if end < 0:
        raise Malformed("no empty line between text and signatures")
    return Note(text[: end + 1], parse_signatures(text[end + 2 :]))


def parse_signatures(text: str) -> tuple[Signature, ...]:
    """Signature lines, at least one; raises `Malformed`."""
    lines = lines_of(text)
    if len(lines) > MOST_SIGNATURES:
        raise Malformed(f"{len(lines)} signatures")
    return tuple(map(_parse_signature, lines))


def _parse_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = from_base64(encoded)
    signature = Signature(name, int.from_bytes(data[:4], "big"), data[4:])
    if not line.startswith(_DASH) or not is_name(name) or not signature.value:
        raise Malformed(f"no signature line: {line[:80]!r}")
    return signature


def is_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no Unicode space, no plus, no control."""
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def key_id(name: str, algorithm: int, public: bytes) -> int:
    """What tells a key's signatures from those of others: 32 bits, no proof of anything."""
    digest = sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()
    return int.from_bytes(digest[:4], "big")


def check_name(name: str) -> None:
    """Raises `Malformed` unless a key may have this name."""
    if not is_name(name):
        raise Malformed(f"no name of a key: {name[:80]!r}")
