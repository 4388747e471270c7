"""The benchmark runs from end to end, with few rows; `make test` runs one part of it."""

from pathlib import Path

from tests.bench.test_bench import measured

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
    "idle question, 5 policies, 4,000 scheduled",
    "idle question, 50 policies, 4,000 scheduled",
    "partition dropped, 1,000,000 rows",
    "due -> purged, rows written singly, gathered",
    "archive made, against COPY, gzip and upload",
    "media, one statement",
    "media, storage.delete() one by one",
    "lag, due -> tombstoned",
    "lag, due -> purged",
    "ledger, written singly",
    "ledger, written singly, gathered",
    "ledger, in bulk, one due time",
    "live(), a page of 50, own columns",
    "tree, leaves appended, against hashlib alone",
    "certificate of a row, made, by the clock",
    "certificate, checked",
}


def test_everything_is_measured(tmp_path: Path) -> None:
    assert measured(tmp_path / "bench.json") >= NAMES
