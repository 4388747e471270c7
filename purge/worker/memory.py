"""What this process remembers of the wake-ups of one database, so as to send fewer.

Nothing depends on it: what is due stays on the agenda until it is settled, and the heartbeat sends
wake-ups for everything again.
"""

import threading
import time
from datetime import datetime

from purge.back_off import back_off

# Seconds until a wake-up without an answer in this process is repeated: it was lost, it still
# waits in the queue, or another consumer has taken it.
REPEATED = 10.0
MANY = 10_000  # events
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds; doubled before the first wait already


class Memory:
    """Names are those of policies, of the media, and of tables to be read."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}  # name -> when it was woken last, monotonic
        self.leftovers: dict[str, datetime] = {}  # name -> since when a slice left something due
        self.active: set[str] | None = None  # the policies that might end rows at the last beat
        self.acting: tuple[str, ...] | None = None  # what the last whole question went by
        self.numbered: int | None = None  # the last event when the pending list was moved last
        self.failures: dict[str, tuple[int, float]] = {}  # name -> in a row, waiting until when
        self.beat_now = threading.Event()  # set where the next beat is to come at once
        self._lock = threading.Lock()

    def reset(self, name: str, left_since: datetime | None = None, at_once: bool = True) -> None:
        """A worker has done a slice of the name's work.

        Where its time was over before the work, something may have been due since `left_since`: the
        next beat looks back as far, and comes at once where the name is not slowed down.
        """
        with self._lock:
            self.sent.pop(name, None)
            self.failures.pop(name, None)
            if left_since is not None:
                self.leftovers[name] = left_since
        if left_since is not None and at_once:
            self.beat_now.set()

    def back_off(self, name: str) -> None:
        """A slice has failed: send no wake-up for a while, longer after each failure in a row."""
        with self._lock:
            failures = self.failures.get(name, (0, 0.0))[0] + 1
            wait = back_off(FIRST_WAIT, LONGEST_WAIT, failures)
            self.failures[name] = failures, time.monotonic() + wait
            self.sent.pop(name, None)

    def may_wake(self, name: str, heartbeat: bool = False) -> bool:
        """Whether to send a wake-up; a heartbeat sends also where an answer is outstanding."""
        now = time.monotonic()
        with self._lock:
            if now < self.failures.get(name, (0, 0.0))[1]:
                return False
            return heartbeat or now - self.sent.get(name, -REPEATED) >= REPEATED

    def note_sent(self, name: str) -> None:
        """A wake-up was sent now."""
        with self._lock:
            self.sent[name] = time.monotonic()

    def copy_leftovers(self) -> dict[str, datetime]:
        """What slices have left due, and since when."""
        with self._lock:
            return dict(self.leftovers)

    def forget_leftovers(self, known: dict[str, datetime], names: set[str]) -> None:
        """Forget names that were woken, or that have nothing due; not what was left since."""
        with self._lock:
            for name in names:
                if self.leftovers.get(name) == known.get(name):
                    self.leftovers.pop(name, None)

    def has_many_new(self, numbered: int) -> bool:
        """Whether so many events were written since this last was so that the pending list may be
        long; many of them go nowhere else."""
        is_first, many = self.numbered is None, numbered - (self.numbered or 0) >= MANY
        if is_first or many:
            self.numbered = numbered
        return many and not is_first

    def may_act_again(self, active: set[str]) -> bool:
        """Whether a policy may end rows that might not at the last beat; stores `active`."""
        with self._lock:
            before, self.active = self.active, active
        return before is not None and not active <= before


_memories: dict[str, Memory] = {}
_lock = threading.Lock()


def of(using: str) -> Memory:
    """This process's memory of a database."""
    with _lock:
        return _memories.setdefault(using, Memory())
