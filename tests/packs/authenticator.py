"""A passkey in software: it answers the ceremonies of django-otp-webauthn as a browser would."""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import RequestFactory
from django_otp_webauthn.helpers import WebAuthnHelper

ORIGIN, SITE = "https://example.com", "example.com"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One key of one user."""

    def __init__(self, owner: Any) -> None:
        self.owner, self.count, self.id = owner, 0, secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.helper = WebAuthnHelper(RequestFactory().get("/", secure=True, HTTP_HOST=SITE))

    def register(self) -> Any:
        """The credential that the package has made of it."""
        options, state = self.helper.register_begin(self.owner)
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._public()
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._data(PRESENT | VERIFIED | ATTESTED) + attested,
        }
        response = {
            "clientDataJSON": _text(self._client("webauthn.create", options["challenge"])),
            "attestationObject": _text(cbor2.dumps(attestation)),
        }
        return self.helper.register_complete(self.owner, state, self._answer(response))

    def sign_in(self) -> Any:
        """The credential that the package has found to be used."""
        options, state = self.helper.authenticate_begin(self.owner)
        self.count += 1
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(PRESENT | VERIFIED)
        signed = data + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        }
        return self.helper.authenticate_complete(self.owner, state, self._answer(response))

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        key = _text(self.id)
        return {"id": key, "rawId": key, "type": "public-key", "response": response}

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": ORIGIN}).encode()

    def _data(self, flags: int) -> bytes:
        site = hashlib.sha256(SITE.encode()).digest()
        return site + struct.pack(">BI", flags, self.count)

    def _public(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
