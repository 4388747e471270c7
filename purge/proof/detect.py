"""Is what was published in this ledger's history? What is decided before anything ends.

    normal      the published head is in this ledger: also after a failover, a promotion, an
                upgrade, a dump and load of the newest state
    restored    the ledger is shorter than what was published: it came from a backup
    forked      it has another tree at the published size: restored, and written on
    cloned      another database, which is at work, has the same log
    unproved    the store shows nothing, less than before, or what this site's key has not signed
    altered     an event in the table is not what was sealed

All but `normal` are alarms: nothing ends, and no file or archive goes. `unproved` stops only files
and archives. The alarm stands in the log's row, so that every worker sees it.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db import connections

from lifecycle.db.connection import own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.hints import database_option
from lifecycle.logs import Log as Logger
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import ProofError
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.proof.tiles import CHECKPOINT
from lifecycle.sealing.log import Log, note, open_log, read_log, read_seals, try_lock
from purge.archive.destinations import Unreachable
from purge.proof.options import ProofOptions
from purge.proof.place import place_of, speak
from purge.proof.ship import store_of, unpacked
from purge.proof.store import ProofStore
from purge.proof.undone import undone

log = Logger("purge")


class State(StrEnum):
    """What a ledger is, by what was published of it."""

    NORMAL = "normal"
    WAITS = "waits"
    RESTORED = "restored"
    FORKED = "forked"
    CLONED = "cloned"
    UNPROVED = "unproved"
    ALTERED = "altered"


@dataclass(frozen=True)
class Decision:
    """What a ledger is, in words for people, and how many published events it has not."""

    state: State
    text: str = ""
    missing: int = 0
    is_unread: bool = False  # the store did not answer
    witness: str = ""  # who has refused to sign, where that says so

    @property
    def is_alarm(self) -> bool:
        """Whether people have to do something."""
        return self.state not in (State.NORMAL, State.WAITS)


NORMAL = Decision(State.NORMAL)


def decide(using: str, options: ProofOptions) -> Decision:
    """Compare this ledger with what was published of it; note and log an alarm, and its end.

    Two small reads of the store where all is well. Inside of a transaction nothing is noted. Raises
    what the database raises.
    """
    known = read_log(using) or open_log(using, 1, options.origin_of(1))
    try:
        found = _decided(using, options, known)
    except Unreachable as error:
        found = Decision(State.UNPROVED, f"the store cannot be read: {error}", is_unread=True)
    except LifecycleError as error:
        found = Decision(State.UNPROVED, f"the store is not as it was: {error}")
    if not connections[using].in_atomic_block:
        keep(using, found)
    return found


def _decided(using: str, options: ProofOptions, known: Log) -> Decision:
    store = store_of(options, known)
    if known.origin != options.origin_of(known.incarnation):
        text = f"the log of this database is {known.origin}, and LIFECYCLE_PROOF names another"
        return Decision(State.UNPROVED, text)
    later = later_origin(options, known)
    data = store.read(CHECKPOINT)
    if later:
        text = f"a later log of this site was published, {later}, of which the ledger knows nothing"
        return Decision(State.RESTORED, text)
    if data is None:
        return _without_head(known, store)
    if data.decode(errors="replace") != known.checkpoint:
        differs = _compare(using, options, known, store, data)
        if differs.is_alarm:
            return differs
    if standing := _standing(known) or _recovering(known):
        return standing
    return _alone(using, store, known)


def later_origin(options: ProofOptions, known: Log) -> str:
    """The origin of the site's next log, where one was published."""
    number = known.incarnation + 1
    origin = options.origin_of(number)
    prefix = f"{options.prefix}{origin}/"
    found = ProofStore(store_of(options, known).where, prefix).read(CHECKPOINT)
    return "" if found is None else origin


def _without_head(known: Log, store: ProofStore) -> Decision:
    if not known.shipped:
        return NORMAL
    text = f"{known.shipped} events were published, and there is no checkpoint at {store.title}"
    return Decision(State.UNPROVED, text)


def _compare(
    using: str, options: ProofOptions, known: Log, store: ProofStore, data: bytes
) -> Decision:
    """The head is not the one that this database knows of: a later one of its own, or another's."""
    try:
        head = open_checkpoint(data, [options.verifier_of(known.incarnation)]).checkpoint
    except ProofError as error:
        return Decision(State.UNPROVED, f"this site's key has not signed the checkpoint: {error}")
    if head.origin != known.origin:
        return Decision(State.UNPROVED, f"the checkpoint is that of another log, {head.origin}")
    if head.size < known.shipped:
        text = f"the checkpoint has gone back from {known.shipped} events to {head.size}"
        return Decision(State.UNPROVED, text)
    if head.size > known.size:
        return _of_shorter(known, store, head)
    if _root_at(using, known, head.size) == head.root:
        return NORMAL
    text = (
        f"of the {head.size} events that were published, some are others here:"
        f" the database was restored, and written on, {undone(store, head, known.shipped)}"
    )
    return Decision(State.FORKED, text, head.size - known.shipped)


def _of_shorter(known: Log, store: ProofStore, head: Checkpoint) -> Decision:
    missing = head.size - known.size
    try:
        reader = TileReader(store.read, head.size)
        reader.check_root(head.root)
        same = reader.root(known.size) == known.frontier().root()
    except ProofError as error:
        return Decision(State.UNPROVED, f"the tiles are not those of the checkpoint: {error}")
    if same:
        text = f"the database was restored from a backup: the last {missing} published events"
        lost = undone(store, head, known.size)
        return Decision(State.RESTORED, f"{text} are missing, {lost}", missing)
    text = (
        f"the database was restored and written on: of {head.size} published events it has other"
        f" ones after {known.shipped}, {undone(store, head, known.shipped)}"
    )
    return Decision(State.FORKED, text, head.size - known.shipped)


def _root_at(using: str, known: Log, size: int) -> bytes:
    """The root of this ledger's tree at a size from what is shipped on."""
    edge = Edge(known.shipped, unpacked(known.shipped, known.edge))
    edge.append(read_seals(using, known, known.shipped, size).leaves)
    return edge.root()


def _standing(known: Log) -> Decision | None:
    """What this ledger and its store cannot take back: an event that was found altered stays an
    alarm until a person has looked at it, what a witness refuses until it signs."""
    kind, witness = known.alarm.get("kind"), str(known.alarm.get("witness", ""))
    if kind != State.ALTERED and not witness:
        return None
    return Decision(State(str(kind)), str(known.alarm.get("text", "")), witness=witness)


def _recovering(known: Log) -> Decision | None:
    """History that was put back is an alarm until what had ended is ended again."""
    if not known.alarm.get("recovery"):
        return None
    text = "a backup was restored, and what had ended since is not ended again yet"
    return Decision(State.RESTORED, text)


def _alone(using: str, store: ProofStore, known: Log) -> Decision:
    said = speak(using, store, place_of(using), known.farewell)
    if said == "cloned":
        text = "another database, which is at work, has the same log: this one is a copy of it"
        return Decision(State.CLONED, text)
    if said:
        text = "another database had this log: whether it is still at work is known in a minute"
        return Decision(State.WAITS, text)
    return NORMAL


def keep(using: str, found: Decision) -> None:
    """Note an alarm in the log's row, since when it is so, or that it is over; log what is new."""
    with own_transaction(using):
        known = read_log(using) if try_lock(using) else None
        if known is None or found.state is State.WAITS:
            return
        before = known.alarm.get("kind", "")
        now = found.state if found.is_alarm else ""
        if found.is_alarm:
            since = known.alarm.get("since") if before == now else None
            since = since or scalar(using, statement(__file__, "now"))
            alarm = {"kind": now, "since": since, "text": found.text, "missing": found.missing}
            alarm |= {"command": command_for(found.state, using)}
            alarm |= {"witness": found.witness} if found.witness else {}
            alarm |= {name: known.alarm[name] for name in ("recovery",) if name in known.alarm}
            if alarm != known.alarm:
                note(using, known, alarm=alarm)
        elif before:
            note(using, known, alarm={})
    if before == now:
        return
    if now:
        fields = {"model": "", "cause": str(now), "count": found.missing, "event": None}
        log("proof_alarm", f"{now}: {found.text}", database=using, **fields)
    else:
        log("goes_on", f"{using}: goes on: {before}", database=using, trouble="proof", cause=before)


def command_for(state: State, using: str) -> str:
    """What a person runs next."""
    verify = f"`manage.py lifecycle verify --proof{database_option(using)}`"
    recover = f"`manage.py purge --replay --from-proof --dry-run{database_option(using)}`"
    told = {State.ALTERED: verify, State.UNPROVED: verify}
    told |= {State.RESTORED: recover, State.FORKED: recover}
    return told.get(state, f"`manage.py lifecycle proof{database_option(using)}`")
