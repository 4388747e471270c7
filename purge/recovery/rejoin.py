"""The first step: events written since the restore make room for those that are missing.

Their numbers are those of published events, or lie between them. Published events keep theirs, for
numbers are signed with them; so what was written since the restore moves behind all of them, by
one distance, in its order, and an event says from where to where. It was never published.
"""

import json
from collections.abc import Iterable
from typing import Any

from lifecycle.db.connection import Raw, fetch, local_settings, scalar, statement
from lifecycle.db.table_lock import AGAINST_WRITERS, locked, qualified
from lifecycle.exceptions import LifecycleError
from lifecycle.sealing import gaps
from lifecycle.sealing.gaps import Gap, Range
from lifecycle.sealing.log import Log, joined
from purge.proof.detect import Decision
from purge.proof.options import ProofOptions
from purge.recovery.local import published_here, unshared
from purge.recovery.stages import TAKING, lock_log, note_stage
from purge.recovery.survey import Survey


def rejoin(using: str, options: ProofOptions, found: Survey, why: Decision, actor: str) -> None:
    """Cut the log back to what is published, move what was written since, and note the beginning.

    One transaction, in which nobody writes events. Raises `Busy` where writers leave no room.
    """
    if not scalar(using, statement(__file__, "is_owner")):
        raise LifecycleError("Only the role that owns the ledger may put its history back.")
    here = published_here(using, options, found)
    table = qualified(*fetch(using, statement(__file__, "place"))[0])
    step = _Rejoining(using, found, why, actor, here)
    locked(using, Raw(table), AGAINST_WRITERS, step.run)


class _Rejoining:
    """What is done while nobody writes events."""

    def __init__(
        self, using: str, found: Survey, why: Decision, actor: str, here: set[int]
    ) -> None:
        self.using, self.found, self.why, self.actor, self.here = using, found, why, actor, here
        self.highest = found.highest
        self.missing = found.head.size - found.common - len(here)

    def run(self) -> None:
        log = lock_log(self.using)
        fetch(self.using, statement(__file__, "move_pending"))
        since = [n for n in unshared(self.using, log, self.found.common) if n not in self.here]
        distance = self._distance(since)
        if distance:
            self._move(since, distance)
        top = max(self.highest, *(number + distance for number in since), 0)
        fetch(self.using, statement(__file__, "advance"), {"top": top})
        event = self._record(log, since, distance)
        self._cut(log, event, [number + distance for number in since])
        alarm = {
            "kind": self.why.state, "text": self.why.text, "missing": self.missing,
            "since": log.alarm.get("since", ""), "command": log.alarm.get("command", ""),
        }  # fmt: skip
        said = {
            "event": event, "missing": self.missing, "moved": len(since) if distance else 0,
            "kept": self.found.common, "size": self.found.head.size, "top": self.highest,
        }  # fmt: skip
        note_stage(self.using, log, alarm, TAKING, **said)

    def _distance(self, since: list[int]) -> int:
        """How far events move: behind the published ones, and off their own old numbers."""
        if not since or not self.missing or since[0] > self.highest:
            return 0
        return max(self.highest, since[-1]) - since[0] + 1

    def _move(self, since: list[int], distance: int) -> None:
        params = {"events": since, "distance": distance}
        told = ("move_alerts", "move_deliveries", "move_rewrites")
        others = ("move_agenda", "move_exceptions", *told, "move_plans")
        for step in ("unguard", "move", *others, "guard"):
            fetch(self.using, statement(__file__, step), params)
        fetch(self.using, statement(__file__, "clear_segments"))

    def _record(self, log: Log, since: list[int], distance: int) -> int:
        head = self.found.head
        detail: dict[str, Any] = {
            "log": log.incarnation, "previous": f"{head.origin} {head.size} {head.root.hex()}",
            "kept": self.found.common, "missing": self.missing,
        }  # fmt: skip
        if distance:
            detail["moved"] = [since[0], since[-1], distance]
        with local_settings(self.using, **{"lifecycle.actor": self.actor}):
            text = statement(__file__, "recovered")
            return int(scalar(self.using, text, {"detail": json.dumps(detail)}))

    def _cut(self, log: Log, event: int, since: list[int]) -> None:
        """The log as it was published; what was written since is sealed behind that."""
        known = gaps.from_json(log.gaps)
        late = [number for number in since if number <= max(log.last_event, self.highest)]
        known.append(Gap(tuple(_ranges(late)), gaps.under_way(self.using).alive))
        params = {
            "log": log.incarnation, "size": self.found.common,
            "frontier": joined(list(self.found.frontier)), "gaps": gaps.to_json(gaps.merged(known)),
            "event": event,
        }  # fmt: skip
        fetch(self.using, statement(__file__, "cut"), params)
        fetch(self.using, statement(__file__, "note_recovery"), params)


def _ranges(numbers: Iterable[int]) -> list[Range]:
    """Ascending numbers as ranges."""
    found: list[Range] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
