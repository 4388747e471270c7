"""The benchmark runs; what its figures are is for `make bench` to say.

Here one part of it, from the empty server to the file; tests/soak runs all parts.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

ENDING = {
    "due -> purged, one due time",
    "due -> purged, 100 due times",
    "due -> purged, keep_while",
    "due -> purged, 30 windows",
    "due -> tombstoned -> purged, one due time",
    "Django's .delete()",
}


def measured(output: Path, *options: str) -> set[str]:
    """What a run of little has measured; each result is whole."""
    command = [sys.executable, "-m", "tests.bench", "--quick", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    assert all({"name", "ratio", "target", "spread"} <= result.keys() for result in results)
    assert all(low <= r["ratio"] <= high for r in results for low, high in [r["spread"]])
    return {result["name"] for result in results}


@pytest.mark.slow
def test_a_part_is_measured(tmp_path: Path) -> None:
    assert measured(tmp_path / "bench.json", "--only", "ending") >= ENDING
