"""A ledger that was restored goes on under a new origin, which begins with an event that says so.

The log before stays as it was published, and is never signed again: what it has that this ledger
has not is named by its size and root in the event. What this ledger has sealed beyond what both
have in common is sealed anew, in the new log.
"""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from lifecycle.db.connection import fetch, local_settings, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.leaf import SALT_SIZE
from lifecycle.proof.tiled import Edge
from lifecycle.proof.tiles import CHECKPOINT
from lifecycle.sealing import gaps
from lifecycle.sealing.entries import read_entries
from lifecycle.sealing.gaps import Gap
from lifecycle.sealing.log import Log, joined, read_log, read_seals, try_lock
from purge.proof import gate
from purge.proof.options import ProofOptions
from purge.proof.ship import store_of, unpacked
from purge.proof.store import ProofStore


def begin_anew(
    using: str, options: ProofOptions, actor: str, settle: Callable[[], object] = lambda: None
) -> str:
    """Begin the next log, by a named person; returns its origin.

    From then on the alarms of the log before are over, and the worker ends what is due. `settle`
    is called in the same transaction, before anything may end. Raises `LifecycleError` where there
    is no alarm, or another session has the log; then nothing is done.
    """
    with own_transaction(using):
        known = read_log(using) if try_lock(using) else None
        if known is None or not known.alarm:
            raise LifecycleError("There is no alarm about the log of this ledger, or it is in use.")
        number = _free_number(options, known)
        origin = options.origin_of(number)
        edge = Edge(known.shipped, unpacked(known.shipped, known.edge))
        beyond = read_seals(using, known, known.shipped, known.size).events
        params = {
            "before": known.incarnation, "size": known.shipped, "number": number,
            "frontier": joined(edge.frontier().hashes), "origin": origin,
        }  # fmt: skip
        fetch(using, statement(__file__, "next_log"), params)
        event = _write_event(using, options, known, number, actor)
        _seal_first(using, number, known, event, beyond)
        settle()
    gate.forget(using)
    return origin


def _free_number(options: ProofOptions, known: Log) -> int:
    """The next number under which nothing was published: other restored copies may have begun."""
    where, number = store_of(options, known).where, known.incarnation + 1
    while ProofStore(where, f"{options.prefix}{options.origin_of(number)}/").read(CHECKPOINT):
        number += 1
    return number


def _write_event(using: str, options: ProofOptions, known: Log, number: int, actor: str) -> int:
    detail: dict[str, Any] = {"log": number}
    if head := published_head(options, known):
        detail |= {"previous": f"{head.origin} {head.size} {head.root.hex()}"}
        detail |= {"kept": known.shipped, "missing": int(known.alarm.get("missing", 0))}
    with local_settings(using, **{"lifecycle.actor": actor}):
        text = statement(__file__, "log_begun")
        return int(scalar(using, text, {"detail": json.dumps(detail)}))


def published_head(options: ProofOptions, known: Log) -> Checkpoint | None:
    """The last checkpoint of a log, if the store has one that this site has signed."""
    data = store_of(options, known).read(CHECKPOINT)
    try:
        verifiers = [options.verifier_of(known.incarnation)]
        return open_checkpoint(data, verifiers).checkpoint if data else None
    except ProofError:
        return None


def _seal_first(using: str, number: int, before: Log, event: int, beyond: list[int]) -> None:
    """Seal the event as the first; all that is not sealed counts as a gap below it."""
    log, salt = read_log(using, number), os.urandom(SALT_SIZE)
    if log is None:
        raise LookupError(f"log {number}")
    leaf = sha256(b"\x00" + read_entries(using, {event: salt})[event]).digest()
    frontier = log.frontier()
    frontier.append(leaf)
    ranges = (*((each, each) for each in beyond), *gaps.missing(before.last_event, [event]))
    known = [*gaps.from_json(before.gaps), Gap(ranges, gaps.under_way(using).alive)]
    params = {
        "log": number, "first": 0, "events": [event], "leaves": leaf, "salts": salt, "last": event,
        "frontier": joined(frontier.hashes), "gaps": gaps.to_json(gaps.merged(known)),
    }  # fmt: skip
    fetch(using, statement(__file__, "seal"), params)
