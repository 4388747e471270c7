"""The benchmark runs from end to end; what its figures are is for `make bench` to say."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

NAMES = {
    "single-row insert",
    "bulk insert, one due time",
    "bulk insert, spread over 30 days",
    "single-row update",
    "one row: create(), by the clock",
    "one row: delete, by the clock",
    "one row: insert, 8 clients, rate",
    "one row: insert, logged",
    "bulk update of due times",
    "warm update, ten times the rows",
    "due -> purged, one due time",
    "due -> purged, 100 due times",
    "due -> purged, keep_while",
    "bulk insert, windows, one due time",
    "due -> purged, 30 windows",
    "due -> purged, collector",
    "due -> purged under 400,000 holds",
    "single writes under 400,000 restores",
    "due -> purged with 5 children, against .delete()",
    "peak memory, twenty times the parents",
    "due -> tombstoned -> purged, one due time",
    "Django's .delete()",
    "Django's .delete() with a receiver",
    "a loop of obj.delete()",
    "idle tick at 4,000 scheduled",
    "archive made, against COPY, gzip and upload",
    "media, one statement",
    "media, storage.delete() one by one",
    "lag, due -> tombstoned",
    "lag, due -> purged",
    "ledger, written singly",
    "ledger, in bulk, one due time",
    "live(), a page of 50, own columns",
}


def test_everything_is_measured(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    assert {result["name"] for result in results} >= NAMES
    assert all({"name", "ratio", "target", "spread"} <= result.keys() for result in results)
    assert all(low <= r["ratio"] <= high for r in results for low, high in [r["spread"]])
