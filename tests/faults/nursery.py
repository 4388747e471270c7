"""Workers as processes, forked from one that has read everything and has no connection.

A process that starts by itself reads for half a second; a schedule kills several.
"""

import json
import os
import signal
import time
import traceback
from contextlib import suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import boto3

REST = 0.05  # seconds between two passes
SHORT = 0.5  # seconds of silence after which another database is taken for gone, here


class Nursery:
    """Starts workers; made before this process has threads or connections."""

    def __init__(self) -> None:
        asked, self._ask = os.pipe()
        self._answer, answered = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._ask)
            os.close(self._answer)
            _serve(asked, answered)
        os.close(asked)
        os.close(answered)
        self._answers = os.fdopen(self._answer)

    def start(self, place: dict[str, Any]) -> int:
        """A worker at a database and a store; its process.

        Its number is its own until `end`, also when it has ended by itself: there are machines
        with 32,768 numbers, and whoever gets one next is not to be killed.
        """
        return self._told(place)

    def end(self, pid: int) -> None:
        """Kill a worker, if it is still there, in the middle of whatever it does."""
        self._told({"end": pid})

    def _told(self, what: dict[str, Any]) -> int:
        os.write(self._ask, f"{json.dumps(what)}\n".encode())
        return int(self._answers.readline())

    def close(self) -> None:
        """The workers end with it."""
        os.close(self._ask)
        os.waitpid(self.pid, 0)


def _serve(asked: int, answered: int) -> None:
    _read_the_stores_words()
    workers = set[int]()
    for line in os.fdopen(asked):
        told = json.loads(line)
        if pid := told.get("end"):
            _end(workers, pid)
        elif not (pid := os.fork()):
            os.close(asked)
            work(told)
        else:
            workers.add(pid)
        os.write(answered, f"{pid}\n".encode())
    for pid in tuple(workers):
        _end(workers, pid)
    os._exit(0)


def _end(workers: set[int], pid: int) -> None:
    """Of one that nobody has waited for: the number is still its own."""
    if pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        workers.remove(pid)


def _read_the_stores_words() -> None:
    """Once for all: each client of boto3 reads a megabyte of JSON, each in a session of its own."""
    session = boto3.session.Session()
    session.client("s3", region_name="us-east-1")
    boto3.session.Session = lambda *given, **how: session  # type: ignore[misc,assignment]


def settle_at(place: dict[str, Any]) -> None:
    """Point this process at a database and a store."""
    from django.conf import settings
    from django.db import connections

    connections["default"].close()
    connections["default"].settings_dict.update(place["database"])
    for name, value in place["settings"].items():
        setattr(settings, name, value)
    if log := settings.LIFECYCLE_PROOF:
        secrets = {name: partial(str, log[name]) for name in ("signing_key", "key")}
        settings.LIFECYCLE_PROOF = log | secrets


def work(place: dict[str, Any]) -> None:
    """What the place says: to publish or recover, once, or else what a worker does."""
    from purge.proof import place as heard

    settle_at(place)
    heard.SILENT = SHORT
    code = {"publish": publish, "recover": recover}.get(place.get("does", ""), passes)
    try:
        code()
        said = "done"
    except BaseException:
        said = traceback.format_exc()
    if "said" in place:
        Path(place["said"]).write_text(said)
    os._exit(0)


def passes() -> None:
    """Pass after pass, as a worker makes them, until it is killed."""
    from purge.worker.whole_pass import run_all

    while os.getppid() != 1:
        with suppress(Exception):  # faults; what is left of it the next pass does
            run_all()
        time.sleep(REST)


def publish() -> None:
    """All that is committed: what a restore takes away is in the store then."""
    from lifecycle.models import Event
    from lifecycle.sealing.log import read_log
    from purge.proof.work import publish_now

    until = time.monotonic() + 30
    while (log := read_log("default")) is None or log.shipped < Event.objects.count():
        assert time.monotonic() < until, "it is not published"
        publish_now("default")


def recover() -> None:
    """As a person types it; again, where a fault has broken it off."""
    from django.core.management import call_command

    call_command("purge", replay=True, from_proof=True, yes=True, verbosity=0, stdout=StringIO())
