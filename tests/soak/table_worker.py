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

if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from purge import runner
    from tests.purge.archive.engine import archiving

    settings.DEBUG = False  # with it Django keeps the last 9,000 statements
    for name, value in json.loads(os.environ["PLACE"]).items():
        setattr(settings, name, value)
    with archiving("tokens", checked=False, **json.loads(sys.argv[1])):
        clock, processor = time.perf_counter(), time.process_time()
        purged = runner.run_due()["tokens"].purged
        told = {
            "purged": purged,
            "seconds": time.perf_counter() - clock,
            "processor": time.process_time() - processor,
            "peak": int(
                re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]  # type: ignore[index]
            ),
        }
    print(json.dumps(told))
