"""What a worker's process does beside its tasks: a thread for each database, until it ends."""

import atexit
import threading
from collections.abc import Callable, Iterable

PATIENCE = 10.0  # seconds that what is under way has at the end


class Threads:
    """Threads that run one function, each for one database.

    run    gets the database and the event that the process is ending; returns once that is set
    """

    def __init__(self, name: str, run: Callable[[str, threading.Event], None]) -> None:
        self.name, self.run = name, run
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def start(self, databases: Iterable[str]) -> None:
        """Start those that do not run."""
        for using in databases:
            with self._lock:
                known = self._threads.get(using)
                if known is None or not known.is_alive():
                    self._threads[using] = self._started(using)

    def running(self) -> list[threading.Thread]:
        """Those that were started."""
        return [*self._threads.values()]

    def _started(self, using: str) -> threading.Thread:
        if not self._threads:
            atexit.register(self.stop)
        name, given = f"{self.name}-{using}", (using, self.over)
        thread = threading.Thread(target=self.run, args=given, name=name, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """At the end of the process: have each thread finish what it is at."""
        self.over.set()
        for thread in self.running():
            thread.join(PATIENCE)
