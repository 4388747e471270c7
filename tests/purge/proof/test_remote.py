"""A key that signs somewhere else, by a signer of securesystemslib that needs no cloud."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.keys import COSIGNATURE, SignerKey, VerifierKey
from lifecycle.proof.note import sign
from purge.proof.options import proof_options
from purge.proof.remote import RemoteKey

NAME = "example.org/ledger"


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """The URI of a key; in a KMS it would be that of a service."""
    key = Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes_raw()
    path.with_suffix(".pub").write_text(str(VerifierKey(NAME, public)))
    return f"file2:{path}"


def public(uri: str) -> str:
    return Path(uri.removeprefix("file2:")).with_suffix(".pub").read_text()


def test_it_signs_a_log_under_each_of_its_names(pem: str) -> None:
    key = RemoteKey.open(pem, public(pem)).named(f"{NAME}/3")
    text = Checkpoint(f"{NAME}/3", 7, b"r" * 32).text
    note = sign(text, key).encode()
    assert open_checkpoint(note, [key.verifier]).checkpoint.size == 7
    assert repr(key) == f"<RemoteKey {NAME}/3>"


def test_the_setting_names_it(pem: str, settings: Any) -> None:
    where = {"uri": pem, "public": public(pem)}
    settings.LIFECYCLE_PROOF = {"origin": NAME, "signing_key": where}
    options = proof_options()
    assert options
    assert str(options.signer.verifier) == public(pem)
    for wrong in ({"uri": pem}, where | {"uri": "file2:/nowhere"}, where | {"uri": "none:x"}):
        settings.LIFECYCLE_PROOF = {"origin": NAME, "signing_key": wrong}
        with pytest.raises(LifecycleError, match="`signing_key` has a `uri`"):
            proof_options()


def test_a_key_that_is_not_the_one_that_is_named_is_refused(pem: str) -> None:
    other = SignerKey.generate(NAME)
    with pytest.raises(Malformed, match="cannot be used"):
        RemoteKey.open(pem, str(other.verifier))
    with pytest.raises(Malformed):
        RemoteKey.open(pem, str(SignerKey.generate(NAME, COSIGNATURE).verifier))
    with pytest.raises(Unverified, match="of another key"):
        RemoteKey(other.verifier, SignerKey.generate(NAME).sign).sign(b"text\n")


def test_a_service_that_is_away_signs_nothing() -> None:
    def away(data: bytes) -> bytes:
        raise OSError("no route, and a secret")

    with pytest.raises(Unverified, match="has not signed: OSError"):
        RemoteKey(SignerKey.generate(NAME).verifier, away).sign(b"text\n")
