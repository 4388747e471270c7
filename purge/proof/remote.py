"""A log's key that never comes here: it signs by `securesystemslib`, in a KMS, a vault, a token.

What it returns is checked before it is used: a service that signs by another key, or not at all,
is refused.
"""

from collections.abc import Callable
from typing import Any

from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.keys import NOTE, VerifierKey

Sign = Callable[[bytes], bytes]


class RemoteKey:
    """A key that is somewhere else, and what it is called; a `Signer`. Ed25519 only."""

    def __init__(self, verifier: VerifierKey, sign: Sign) -> None:
        if verifier.algorithm != NOTE:
            raise Malformed(f"{verifier.name} is no log's key")
        self.verifier, self._sign = verifier, sign

    @classmethod
    def open(cls, uri: str, public: str) -> "RemoteKey":
        """The key that a URI of `securesystemslib` names, `hv:my-key`; `public`: its verifier key.

        Raises `Malformed` where it cannot be used, `ImportError` where a library is missing.
        """
        from securesystemslib.signer import Signer, SSlibKey

        verifier = VerifierKey.parse(public)
        values = {"public": verifier.public.hex()}
        key = SSlibKey(f"{verifier.key_id:08x}", "ed25519", "ed25519", values)
        try:
            signer: Any = Signer.from_priv_key_uri(uri, key)
        except ImportError:
            raise
        except Exception as error:  # of each service's own kinds
            raise Malformed(f"the key cannot be used: {type(error).__name__}") from None
        return cls(verifier, lambda data: bytes.fromhex(signer.sign(data).signature))

    def named(self, name: str) -> "RemoteKey":
        """The same key under another name: of the next log of a site, for one."""
        return RemoteKey(self.verifier._replace(name=name), self._sign)

    def __repr__(self) -> str:
        return f"<RemoteKey {self.name}>"

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.verifier.name

    @property
    def key_id(self) -> int:
        """What its signature lines name."""
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        """The signature of a note's text; `Unverified` where the service has not given it."""
        try:
            signature = self._sign(text)
        except Exception as error:  # of each service's own kinds
            raise Unverified(f"{self.name} has not signed: {type(error).__name__}") from error
        if not self.verifier.is_signed(text, signature):
            raise Unverified(f"{self.name} has not signed: the signature is of another key")
        return signature


class PublicKey(RemoteKey):
    """The verifier key alone, for a process that reads the log and must not be able to sign it."""

    def __init__(self, verifier: VerifierKey) -> None:
        super().__init__(verifier, bytes)

    @classmethod
    def parse(cls, public: str) -> "PublicKey":
        """From `name+id+base64`; `Malformed` where it is none of a log."""
        return cls(VerifierKey.parse(public))

    def named(self, name: str) -> "PublicKey":
        """The same key under another name."""
        return PublicKey(self.verifier._replace(name=name))

    def sign(self, text: bytes) -> bytes:
        """`Unverified`, always: with where it is done."""
        raise Unverified(
            "this process has only the public key of the log: `manage.py lifecycle certificate`"
            " signs where the signing key is"
        )
