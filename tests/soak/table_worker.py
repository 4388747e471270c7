"""A worker that archives what is due of the tokens, or erases one actor's rows from their archives,
and says what it took.

python -m tests.soak.table_worker '{"table": "iceberg"}' [ACTOR]
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django


def processor_of_backend() -> float:
    """Seconds that this session's backend was on the processor; on the same machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def transferred() -> dict[str, int]:
    """Bytes that this process has read and written by system calls, temporary files with them."""
    told = dict(re.findall(r"(\w+): (\d+)", Path("/proc/self/io").read_text()))
    return {"read": int(told["rchar"]), "written": int(told["wchar"])}


def measured(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What it says, and what it took of this process and its backend."""
    backend, moved = processor_of_backend(), transferred()
    clock, processor = time.perf_counter(), time.process_time()
    told = act()
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return told | {
        "seconds": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
        "backend": processor_of_backend() - backend,
        "peak": int(peak[1]) if peak else 0,
        **{name: count - moved[name] for name, count in transferred().items()},
    }


def archived() -> dict[str, Any]:
    from purge import runner

    return {"purged": runner.run_due()["tokens"].purged}


def erased(actor: str) -> dict[str, Any]:
    import purge

    gone = purge.erase_archived("tokens", {"actor": actor}, "R-1", actor="jo")
    return {"rows": gone.rows, "archives": len(gone.archives), "left": gone.left}


if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from tests.purge.archive.engine import archiving

    settings.DEBUG = False  # with it Django keeps the last 9,000 statements
    for name, value in json.loads(os.environ["PLACE"]).items():
        setattr(settings, name, value)
    with archiving("tokens", checked=False, **json.loads(sys.argv[1])):
        act = (lambda: erased(sys.argv[2])) if len(sys.argv) > 2 else archived
        print(json.dumps(measured(act)))
