"""A worker that is killed at one point of an archive.

python -m tests.purge.archive.killed POINT
"""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import django


def die(*given: Any, **named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def after(home: Any, name: str) -> None:
    """Die when a function has done its work."""
    done = getattr(home, name)
    setattr(home, name, lambda *given, **named: (done(*given, **named), die())[0])


if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from purge import runner
    from purge.archive import storage as storing
    from purge.archiving import due as archiving_due
    from purge.archiving import make as making
    from purge.archiving import write as writing
    from purge.batch.cascade import delete as ending
    from tests.purge.archive.engine import archiving

    settings.DEBUG = False  # with it Django keeps the last 9,000 statements
    settings.LIFECYCLE_ARCHIVE_DIR = os.environ["ARCHIVE_DIR"]
    point = sys.argv[1]
    if point == "put":
        storing.compare = die
    elif point == "chosen":
        making.written = die
    elif point == "between parts":
        archiving_due.PART = 3
        parts = iter([writing._write_part])
        writing._write_part = lambda *given: next(parts, die)(*given)
    elif point == "read back":
        after(runner.archiving, "archive_due")
    elif point == "deleting":
        after(ending, "_refuse_fewer")  # the DELETE was sent before
    with archiving("tokens", checked=False):
        runner.run_due()
    # Of one that lives. Unlike `ru_maxrss` this is not what its parent had when it forked.
    print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]
