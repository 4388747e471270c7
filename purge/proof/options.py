"""What `LIFECYCLE_PROOF` says: under which name a ledger's log is signed, by which key, and where.

A secret is never in the database, in a log or in an error. It is named by a file, by `env:NAME`,
or given by a callable, which may ask a service. The signing key may also stay where it is, in a
KMS, and be named by its URI.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError

if TYPE_CHECKING:
    from lifecycle.proof.keys import SignerKey, VerifierKey
    from purge.proof.remote import RemoteKey

    LogKey = SignerKey | RemoteKey

MISSING = "cryptography is not installed: pip install 'django-tombstone[proof]'."
MISSING_KMS = "securesystemslib is not installed: pip install 'django-tombstone[kms]'."
ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9._-]*)*")
KEY_SIZE = 32
HALT, REPORT = "halt", "report"  # what an altered event does

Secret = str | Path | Callable[[], str]


@dataclass(frozen=True)
class WitnessOptions:
    """A witness: where it is asked, and the key by which its cosignatures are known."""

    url: str
    key: "VerifierKey"


@dataclass(frozen=True)
class ProofOptions:
    """The options, read and checked. No secret is in its representation."""

    origin: str
    prefix: str
    signer: "LogKey" = field(repr=False)
    key: bytes | None = field(repr=False)
    witnesses: tuple[WitnessOptions, ...] = ()
    after: str = ""  # the replica that has to have what is published
    lock: timedelta | None = None  # how long what is published is locked in its bucket
    keep: timedelta | None = None  # how long published events stay in the table; None: for ever

    def origin_of(self, incarnation: int) -> str:
        """The origin of one of the site's logs."""
        return f"{self.origin}/{incarnation}"

    def signer_of(self, incarnation: int) -> "LogKey":
        """The key under the name of one of the site's logs."""
        return self.signer.named(self.origin_of(incarnation))

    def verifier_of(self, incarnation: int) -> "VerifierKey":
        """What checks its signatures."""
        return self.signer_of(incarnation).verifier


def proof_options() -> ProofOptions | None:
    """The options; None where the setting is off. `LifecycleError` where one cannot be used."""
    given: dict[str, Any] | None = conf.PROOF
    if not given:
        return None
    origin, prefix = str(given.get("origin", "")), str(given.get("prefix", "proof/"))
    if not ORIGIN.fullmatch(origin):
        raise LifecycleError(f"LIFECYCLE_PROOF: {origin!r} is no origin, as `example.org/ledger`.")
    if ".." in prefix.split("/") or prefix.startswith("/") or not prefix.endswith("/"):
        raise LifecycleError("LIFECYCLE_PROOF: `prefix` must end, and not begin, with a slash.")
    if given.get("altered", HALT) not in (HALT, REPORT):
        raise LifecycleError(f"LIFECYCLE_PROOF: `altered` is `{HALT}` or `{REPORT}`.")
    key, signer = given.get("key"), _signer(given)
    witnesses = tuple(_witnesses(given.get("witnesses", {})))
    secret, keep = None if key is None else _key(key), _keep(given.get("keep"))
    return ProofOptions(
        origin, prefix, signer, secret, witnesses, _after(given), _lock(given), keep
    )


def _lock(given: dict[str, Any]) -> timedelta | None:
    lock = given.get("lock")
    if lock is not None and (not isinstance(lock, timedelta) or lock <= timedelta(0)):
        raise LifecycleError("LIFECYCLE_PROOF: `lock` is a timedelta.")
    return lock


def _after(given: dict[str, Any]) -> str:
    after = given.get("after", "")
    if not isinstance(after, str):
        raise LifecycleError("LIFECYCLE_PROOF: `after` is the application_name of a replica.")
    return after


def _keep(given: Any) -> timedelta | None:
    """How long events stay; not less than a backup may be old, which replay has to undo."""
    if given is None:
        return None
    if not isinstance(given, timedelta) or given <= timedelta(0):
        raise LifecycleError("LIFECYCLE_PROOF: `keep` is a timedelta.")
    if conf.BACKUP_MAX_AGE is None or given < timedelta(seconds=conf.BACKUP_MAX_AGE):
        raise LifecycleError(
            "LIFECYCLE_PROOF: `keep` must not be less than LIFECYCLE_BACKUP_MAX_AGE, which must be"
            " set: what is restored is ended again by the ledger."
        )
    return given


def halts_when_altered() -> bool:
    """Whether nothing ends while an event in the table is not what was sealed."""
    return bool((conf.PROOF or {}).get("altered", HALT) == HALT)


def _signer(given: dict[str, Any]) -> "LogKey":
    """The key from where it is, or one that signs somewhere else."""
    try:
        from lifecycle.proof.errors import ProofError
        from lifecycle.proof.keys import SignerKey

        if isinstance(given.get("signing_key"), dict):
            return _remote(given["signing_key"])
        return SignerKey.parse(_read("signing_key", given.get("signing_key", "")))
    except ImportError:
        raise LifecycleError(MISSING) from None
    except ProofError:
        text = "`manage.py lifecycle proof --new-key ORIGIN` makes one."
        raise LifecycleError(f"LIFECYCLE_PROOF: `signing_key` is none: {text}") from None


def _remote(named: dict[str, Any]) -> "RemoteKey":
    """`uri` of `securesystemslib`, and `public`: the verifier key that it signs for; of a process
    that signs nothing only that."""
    from lifecycle.proof.errors import ProofError
    from purge.proof.remote import PublicKey, RemoteKey

    text = "LIFECYCLE_PROOF: `signing_key` has a `uri` and a `public` key"
    if "public" not in named or named.keys() - {"uri", "public"}:
        raise LifecycleError(f"{text}.")
    try:
        if "uri" not in named:
            return PublicKey.parse(str(named["public"]))
        return RemoteKey.open(str(named["uri"]), str(named["public"]))
    except ImportError:
        raise LifecycleError(MISSING_KMS) from None
    except ProofError as error:
        raise LifecycleError(f"{text}, which cannot be used: {error}.") from None


def _witnesses(given: Any) -> Iterator[WitnessOptions]:
    """Each by its address and its key, `name+id+base64`."""
    from lifecycle.proof.errors import ProofError
    from lifecycle.proof.keys import COSIGNATURE, VerifierKey

    for url, text in dict(given).items():
        try:
            key = VerifierKey.parse(text)
        except ProofError:
            key = None
        if key is None or key.algorithm != COSIGNATURE:
            raise LifecycleError(f"LIFECYCLE_PROOF: `witnesses` has no witness's key for {url}.")
        yield WitnessOptions(str(url), key)


def _key(secret: Secret) -> bytes:
    from lifecycle.proof.encoding import from_base64
    from lifecycle.proof.errors import ProofError

    try:
        key = from_base64(_read("key", secret))
    except ProofError:
        key = b""
    if len(key) != KEY_SIZE:
        raise LifecycleError(f"LIFECYCLE_PROOF: `key` must be {KEY_SIZE} random bytes in base64.")
    return key


def _read(name: str, secret: Secret) -> str:
    """The secret itself. An error says where it was looked for, never what was found."""
    try:
        if callable(secret):
            return str(secret()).strip()
        if isinstance(secret, str) and secret.startswith("env:"):
            return os.environ[secret.removeprefix("env:")].strip()
        return Path(secret).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, KeyError, TypeError) as error:
        where = "" if callable(secret) else f" from {secret}"
        why = f"LIFECYCLE_PROOF: `{name}` cannot be read{where}: {type(error).__name__}."
        raise LifecycleError(why) from None
