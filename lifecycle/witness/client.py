"""A log's side: have a witness cosign a checkpoint, and know what its refusal means.

A witness that has signed a larger tree of the log, or another one of the same size, says that the
log was rewound or written anew since: that is an alarm. One that does not answer is none.
"""

import http.client
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.encoding import to_number, without_controls
from lifecycle.proof.errors import Malformed, ProofError, Unverified
from lifecycle.proof.keys import VerifierKey
from lifecycle.proof.note import MOST_BYTES, Note, Signature, parse_signatures
from lifecycle.witness.protocol import Answer, Request

PATIENCE = 10.0  # seconds
_TRIES = 3

#: The consistency proof from an earlier size of the log.
Prove = Callable[[int], Sequence[bytes]]


class WitnessUnavailable(ProofError):
    """The witness did not answer, or not as one: nothing is known."""


class Rewound(ProofError):
    """The witness has signed a larger tree of this log: it was restored from a backup."""

    def __init__(self, size: int, ours: int) -> None:
        super().__init__(f"the witness has signed {size} events of this log, which has {ours}")
        self.size = size


class Forked(ProofError):
    """The witness has signed another history of this log: it was written anew."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness has signed another tree of {size} events of this log")
        self.size = size


def cosign(url: str, key: VerifierKey, checkpoint: Note, prove: Prove, last: int = 0) -> Signature:
    """The witness's cosignature of a checkpoint. `last` is the size that it signed last, if known.

    Raises `Rewound` or `Forked`, which are alarms, or `WitnessUnavailable`. A proof that `prove`
    cannot make raises what it raises.
    """
    size, old = Checkpoint.parse(checkpoint.text).size, last
    for _ in range(_TRIES):
        proof = tuple(prove(old)) if 0 < old < size else ()
        answer = post(url, Request(old, proof, checkpoint).encode())
        if answer.status == 200:
            return _checked(answer, key, checkpoint)
        old = _after_refusal(answer, old, size)
    raise WitnessUnavailable("the witness's size changes while it is asked")


def _after_refusal(answer: Answer, old: int, size: int) -> int:
    """The size from which to prove next; raises where a refusal says more than that."""
    if answer.status == 422:
        raise Forked(old)
    if answer.status != 409:
        raise WitnessUnavailable(f"the witness answers {answer.status}")
    theirs = _size_of(answer)
    if theirs > size:
        raise Rewound(theirs, size)
    if theirs == old == size:
        raise Forked(size)
    return theirs


def _size_of(answer: Answer) -> int:
    try:
        return to_number(without_controls(answer.body).removesuffix("\n"))
    except Malformed as error:
        raise WitnessUnavailable("the witness names no size") from error


def _checked(answer: Answer, key: VerifierKey, checkpoint: Note) -> Signature:
    try:
        given = parse_signatures(without_controls(answer.body))
        (good,) = checkpoint._replace(signatures=given).verified([key])[:1]
    except (Malformed, Unverified) as error:
        raise WitnessUnavailable(f"the witness's cosignature is wrong: {error}") from error
    return good


def post(url: str, body: bytes) -> Answer:
    """Ask for a cosignature; no redirect is followed. Raises `WitnessUnavailable`."""
    where = urlsplit(url)
    kinds = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}
    if where.scheme not in kinds or not where.hostname:
        raise WitnessUnavailable(f"no address of a witness: {url!r}")
    try:
        connection = kinds[where.scheme](where.hostname, where.port, timeout=PATIENCE)
        connection.request("POST", f"{where.path.rstrip('/')}/add-checkpoint", body)
        response = connection.getresponse()
        data = response.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WitnessUnavailable(f"the witness does not answer: {type(error).__name__}") from error
    connection.close()
    if len(data) > MOST_BYTES:
        raise WitnessUnavailable("the witness's answer has no end")
    return Answer(response.status, data, response.headers.get("Content-Type", ""))
