"""What this process remembers of the wake-ups of one database, so as to ask less often.

Nothing depends on it: what is due stays on the agenda until it is settled, and the heartbeat asks
for everything again.
"""

import threading
import time
from datetime import datetime

from purge.back_off import back_off

# Seconds until a wake-up that this process has not seen answered is repeated: it was lost, it
# still waits in the queue, or another consumer has answered it.
ASKED_AGAIN = 10.0
FIRST_REST, LONGEST_REST = 1.0, 300.0  # seconds; doubled before the first rest already


class Memory:
    """Names are those of policies, of the media, and of tables to be read."""

    def __init__(self) -> None:
        self.asked: dict[str, float] = {}  # name -> when it was asked for, monotonic
        self.left: dict[str, datetime] = {}  # name -> since when a worker has left something due
        self.able: set[str] | None = None  # the policies that might end rows at the last look
        # name -> failures in a row, until when it rests
        self.resting: dict[str, tuple[int, float]] = {}
        self.wanted = threading.Event()  # set where the next beat is to come at once
        self._lock = threading.Lock()

    def answered(self, name: str, left: datetime | None = None) -> None:
        """A worker has answered a wake-up.

        Where its time was over first, something may be `left` that has been due since then: the
        next beat comes at once and looks back as far.
        """
        with self._lock:
            self.asked.pop(name, None)
            self.resting.pop(name, None)
            if left is not None:
                self.left[name] = left
        if left is not None:
            self.wanted.set()

    def failed(self, name: str) -> None:
        """A worker could not go on: let the name rest, longer after each failure in a row."""
        with self._lock:
            failures = self.resting.get(name, (0, 0.0))[0] + 1
            rest = back_off(FIRST_REST, LONGEST_REST, failures)
            self.resting[name] = failures, time.monotonic() + rest
            self.asked.pop(name, None)

    def may_ask(self, name: str, heartbeat: bool = False) -> bool:
        """Whether to wake a worker; a heartbeat asks also where an answer is outstanding."""
        now = time.monotonic()
        with self._lock:
            if now < self.resting.get(name, (0, 0.0))[1]:
                return False
            return heartbeat or now - self.asked.get(name, -ASKED_AGAIN) >= ASKED_AGAIN

    def ask(self, name: str) -> None:
        """A wake-up was sent now."""
        with self._lock:
            self.asked[name] = time.monotonic()

    def leftovers(self) -> dict[str, datetime]:
        """What workers have left, and since when it has been due."""
        with self._lock:
            return dict(self.left)

    def forget(self, left: dict[str, datetime], names: set[str]) -> None:
        """Of what was left: asked for, or done by others."""
        with self._lock:
            for name in names:
                if self.left.get(name) == left.get(name):
                    self.left.pop(name, None)

    def is_back(self, able: set[str]) -> bool:
        """Whether a policy may end rows that might not at the last look."""
        with self._lock:
            before, self.able = self.able, able
        return before is not None and not able <= before


_memories: dict[str, Memory] = {}
_lock = threading.Lock()


def of(using: str) -> Memory:
    """This process's memory of a database."""
    with _lock:
        return _memories.setdefault(using, Memory())
