"""The site and the worker as processes of their own, which never outlive the demonstration."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings

PARENT = "DEMO_PARENT"
STOP_SECONDS = 10.0
POLL_SECONDS = 0.3


class Child:
    """A `manage.py` command in the background; its output goes to a file in the data folder.

    It is in a session of its own: Ctrl-C reaches only us, and we end it in order.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.tag = f"demo {name} {os.getpid()}"
        self.log = Path(settings.DATA_DIR, f"demo-{name}.log")
        environment = os.environ | {PARENT: str(os.getpid()), "PGAPPNAME": self.tag}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def last_words(self) -> str:
        """The end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def stop(self) -> None:
        """End it; what it is doing may finish, for ten seconds."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def follow_parent() -> None:
    """In a child: end when the demonstration has ended, also when it was killed.

    Asks for the parent's number, as a signal at its death is a thing of Linux alone.
    """
    parent = os.environ.pop(PARENT, None)
    if parent:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def free_port(wanted: int) -> int:
    """The port, or any other that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")
