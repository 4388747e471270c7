"""Have the published head cosigned by the site's witnesses, and hear what they refuse.

The cosigned head is an object of its own beside the checkpoint, `cosigned`: who publishes never
waits for a witness, and a crash between the two loses nothing. Certificates take it where it is
there. That a witness is away is no alarm; that it refuses is one.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.note import Note, parse
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import CHECKPOINT
from lifecycle.sealing.log import Log
from lifecycle.witness.client import Forked, Rewound, WitnessUnavailable, cosign
from purge.archive.destinations import ObjectChanged
from purge.proof.options import ProofOptions, WitnessOptions
from purge.proof.ship import store_of

COSIGNED = "cosigned"


@dataclass(frozen=True)
class Refusal:
    """A witness has signed what this log is not: it was `restored`, or is `forked`."""

    witness: str
    state: str
    text: str


@dataclass
class Asked:
    """What the witnesses have said of a head: who signed it, who refused, who did not answer."""

    signed: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)
    size: int = field(default=0, compare=False)  # of the head

    @property
    def told(self) -> dict[str, str]:
        """By witness what it has said, in words."""
        refused = {each.witness: f"refuses: {each.text}" for each in self.refusals}
        signed = dict.fromkeys(self.signed, f"has cosigned {self.size} events")
        return {name: f"silent: {why}" for name, why in self.silent.items()} | refused | signed


def ask_witnesses(options: ProofOptions, log: Log, anew: bool = False) -> Asked:
    """Have the published head cosigned by who has not done so yet. Never raises for a witness.

    `anew`: ask each one, whatever the store has: a cosigned head that was put back together with
    the ledger says nothing of what the witness has signed since. Raises what the store raises, and
    `ProofError` where the head is not this site's.
    """
    store, asked = store_of(options, log), Asked()
    data = store.read(CHECKPOINT) if options.witnesses else None
    if data is None:
        return asked
    head = open_checkpoint(data, [options.verifier_of(log.incarnation)])
    before = store.read(COSIGNED)
    known, last = cosigned(before, head.note, options.witnesses), _parsed(before)
    asked.size = head.checkpoint.size
    reader, note = TileReader(store.read, head.checkpoint.size), head.note if anew else known
    for each in options.witnesses:
        note = _ask(each, note, reader, last, asked)
    if note != known and len(note.signatures) >= len(known.signatures):
        with suppress(ObjectChanged):  # another worker has asked meanwhile
            store.where.replace(store.prefix + COSIGNED, note.encode(), before)
    return asked


def _ask(
    witness: WitnessOptions, note: Note, reader: TileReader, last: Note | None, asked: Asked
) -> Note:
    """The note with the witness's signature, where it has one to give."""
    name = witness.key.name
    if _has(note, witness):
        asked.signed.append(name)
        return note
    size = _size_of(last) if last is not None and _has(last, witness) else 0
    try:
        made = cosign(witness.url, witness.key, note, reader.consistency_proof, size)
    except Rewound as error:
        asked.refusals.append(Refusal(name, "restored", f"{name}: {error}"))
    except Forked as error:
        asked.refusals.append(Refusal(name, "forked", f"{name}: {error}"))
    except WitnessUnavailable as error:
        asked.silent[name] = str(error)
    else:
        asked.signed.append(name)
        return note._replace(signatures=(*note.signatures, made))
    return note


def cosigned(data: bytes | None, head: Note, witnesses: Sequence[WitnessOptions]) -> Note:
    """A head with its cosignatures, as far as the store has them and they are good."""
    last = _parsed(data)
    if last is None or last.text != head.text:
        return head
    good = [line for each in witnesses if _has(last, each) for line in last.signed_by([each.key])]
    return head._replace(signatures=(*head.signatures, *good))


def _parsed(data: bytes | None) -> Note | None:
    try:
        return parse(data) if data is not None else None
    except ProofError:
        return None


def _has(note: Note, witness: WitnessOptions) -> bool:
    try:
        return bool(note.signed_by([witness.key]))
    except ProofError:
        return False


def _size_of(note: Note) -> int:
    try:
        return Checkpoint.parse(note.text).size
    except ProofError:
        return 0
