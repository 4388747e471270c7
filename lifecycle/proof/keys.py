"""Ed25519 keys of logs and witnesses, by `cryptography`, in the text form that others' tools use.

A verifier key is `name+id+base64`, public; a signer key `PRIVATE+KEY+name+id+base64`, secret. The
first byte of the key says what it signs: 1 notes, 4 cosignatures.
"""

import os
import time
from typing import NamedTuple

from lifecycle.proof.cosignature import Cosignature, message
from lifecycle.proof.encoding import from_base64, to_base64
from lifecycle.proof.errors import Malformed
from lifecycle.proof.note import check_name, is_name, key_id

NOTE, COSIGNATURE = 1, 4
_PRIVATE = "PRIVATE+KEY+"
_SIZE = 32  # of a public key, and of a secret one


class VerifierKey(NamedTuple):
    """A public key and what it is called; a `Verifier`."""

    name: str
    public: bytes
    algorithm: int = NOTE

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """A key as `str` writes it; raises `Malformed`, also where name and id do not fit it."""
        name, algorithm, public = _parse(text)
        key = cls(name, public, algorithm)
        if str(key) != text:
            raise Malformed(f"no verifier key: {text[:80]!r}")
        return key

    def __str__(self) -> str:
        return _written(self.name, self.key_id, self.algorithm, self.public)

    @property
    def key_id(self) -> int:
        """What its signature lines name."""
        return key_id(self.name, self.algorithm, self.public)

    def is_signed(self, text: bytes, value: bytes) -> bool:
        """Whether this is the key's signature, or cosignature, of a note's text."""
        if self.algorithm == NOTE:
            return _is_ed25519(self.public, text, value)
        try:
            read = Cosignature.parse(value)
        except Malformed:
            return False
        return _is_ed25519(self.public, message(text, read.timestamp), read.signature)


class SignerKey:
    """A secret key and what it is called; a `Signer`. Never shown: `repr` has its name only."""

    def __init__(self, name: str, secret: bytes, algorithm: int = NOTE) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        check_name(name)
        if len(secret) != _SIZE or algorithm not in (NOTE, COSIGNATURE):
            raise Malformed("no signer key")
        self._secret, self._key = secret, Ed25519PrivateKey.from_private_bytes(secret)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw(), algorithm)

    @classmethod
    def generate(cls, name: str, algorithm: int = NOTE) -> "SignerKey":
        """A new key."""
        return cls(name, os.urandom(_SIZE), algorithm)

    @classmethod
    def parse(cls, text: str) -> "SignerKey":
        """A key as `secret_text` writes it; raises `Malformed`, in which nothing of it stands."""
        try:
            name, algorithm, secret = _parse(text.removeprefix(_PRIVATE))
            key = cls(name, secret, algorithm)
        except Malformed:
            key = None
        if key is None or key.secret_text() != text:
            raise Malformed("no signer key")
        return key

    def named(self, name: str) -> "SignerKey":
        """The same key under another name: of the next log of a site, for one."""
        return SignerKey(name, self._secret, self.verifier.algorithm)

    def secret_text(self) -> str:
        """The key as text: whoever has it signs as this one."""
        algorithm = self.verifier.algorithm
        return _PRIVATE + _written(self.name, self.key_id, algorithm, self._secret)

    def __repr__(self) -> str:
        return f"<SignerKey {self.name}>"

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.verifier.name

    @property
    def key_id(self) -> int:
        """What its signature lines name."""
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        """The signature of a note's text; as a witness's key, the cosignature as of now."""
        if self.verifier.algorithm == COSIGNATURE:
            return self.cosign(text, int(time.time()))
        return self._key.sign(text)

    def cosign(self, text: bytes, timestamp: int) -> bytes:
        """The cosignature of a checkpoint's text, as of a time in seconds since the epoch."""
        if self.verifier.algorithm != COSIGNATURE:
            raise Malformed(f"{self.name} is no witness's key")
        return Cosignature(timestamp, self._key.sign(message(text, timestamp))).value


def _parse(text: str) -> tuple[str, int, bytes]:
    name, _, rest = text.partition("+")
    data = from_base64(rest[9:])
    if not is_name(name) or len(data) != 1 + _SIZE or data[0] not in (NOTE, COSIGNATURE):
        raise Malformed("no key of a kind that is known here")
    return name, data[0], data[1:]


def _written(name: str, number: int, algorithm: int, key: bytes) -> str:
    return f"{name}+{number:08x}+{to_base64(bytes([algorithm]) + key)}"


def _is_ed25519(public: bytes, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):  # a ValueError: no point of the curve
        return False
    return True
