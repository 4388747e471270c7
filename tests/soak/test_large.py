"""The large run as a test: `LARGE_ROWS` rows (1,000,000), by one worker and by two."""

import os
import subprocess
import sys

from tests.infra.servers import ROOT


def test_the_large_run_keeps_all_promises() -> None:
    rows = os.environ.get("LARGE_ROWS", "1000000")
    command = [sys.executable, "-m", "tests.soak.large", "--rows", rows]
    assert subprocess.run([*command, "--workers", "1", "--workers", "2"], cwd=ROOT).returncode == 0
