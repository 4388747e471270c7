"""A worker that archives what is due of the tokens, and says what it took.

python -m tests.soak.table_worker '{"table": "iceberg"}'
"""

import json
import os
import re
import sys
import time
from pathlib import Path

import django


def processor_of_backend() -> float:
    """Seconds that this session's backend was on the processor; on the same machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from purge import runner
    from tests.purge.archive.engine import archiving

    settings.DEBUG = False  # with it Django keeps the last 9,000 statements
    for name, value in json.loads(os.environ["PLACE"]).items():
        setattr(settings, name, value)
    with archiving("tokens", checked=False, **json.loads(sys.argv[1])):
        backend = processor_of_backend()
        clock, processor = time.perf_counter(), time.process_time()
        purged = runner.run_due()["tokens"].purged
        told = {
            "purged": purged,
            "seconds": time.perf_counter() - clock,
            "processor": time.process_time() - processor,
            "backend": processor_of_backend() - backend,
            "peak": int(
                re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]  # type: ignore[index]
            ),
        }
    print(json.dumps(told))
