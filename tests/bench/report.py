"""The results: a table for the terminal, JSON for programs, a page for the docs."""

import json
import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.rounds import Plan, Result
from tests.bench.server import ROOT, sql

WIDTH = 100
PAGE = ROOT / "docs" / "benchmarks.md"
OTHER_RUNS = "\n## The large run"  # how the part of the page begins that `make soak` gives
MARKS = {True: "reached", False: "missed", None: ""}


def show(plan: Plan) -> None:
    """A table in the terminal."""
    table = Table("measured", "median", "spread", "target", "", width=WIDTH)
    for result in plan.results:
        table.add_row(*_cells(result))
    Console(width=WIDTH).print(table)


def write_json(plan: Plan, path: Path) -> None:
    """A list of name, ratio, target, spread and unit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([_plain(result) for result in plan.results], indent=2) + "\n")


def _plain(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "ratio": round(result.ratio, 4),
        "target": result.target or None,
        "spread": [round(end, 4) for end in result.spread],
        "unit": result.unit,
    }


def _cells(result: Result) -> tuple[str, ...]:
    low, high = result.spread
    unit = "" if result.unit == "x" else f" {result.unit}"
    spread = f"{_number(low)} to {_number(high)}"
    target = f"{result.target}{unit}" if result.target else ""
    return result.name, f"{_number(result.ratio)}{unit}", spread, target, MARKS[result.reached]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_page(plan: Plan) -> None:
    """docs/benchmarks.md, from this run; what was measured by other runs stays."""
    before = PAGE.read_text()
    others = before[before.index(OTHER_RUNS) :] if OTHER_RUNS in before else ""
    rows = [f"| {' | '.join(_cells(result))} |" for result in plan.results]
    PAGE.write_text(f"{HEAD.format(**facts(plan))}{TABLE}" + "\n".join(rows) + f"\n{FOOT}{others}")


def facts(plan: Plan) -> dict[str, Any]:
    """What the figures depend on; nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "version": sql("SHOW server_version")[0][0],
        "fsync": sql("SHOW fsync")[0][0],
        "buffers": sql("SHOW shared_buffers")[0][0],
        "rounds": plan.rounds,
        "rows": f"{plan.rows:,}",
    }


HEAD = """# Benchmarks

Repeat them with `make bench` (about nine minutes; `make bench ARGS=--write-docs` writes this page,
`ARGS=--quick` only shows that everything runs, `ARGS="--only ending"` measures one part,
`ARGS=--fsync` waits for the disk).
`build/bench.json` has the same figures. They need a role that may set `session_replication_role`.

Measured on {cores} cores with PostgreSQL {version}, `fsync = {fsync}` for both sides of every
ratio (the disk would hide what the triggers cost), `shared_buffers = {buffers}`. Medians of
{rounds} paired rounds with their smallest and largest value; both sides run in turn, in changing
order, each after a VACUUM ANALYZE. Bulk means {rows} rows in one statement.

"""
TABLE = """| measured | median | spread | target | |
|---|---|---|---|---|
"""
FOOT = """
How to read it:

- Inserts and updates: time with the policy's triggers divided by the time of the same statement on
  the same table without them. Single rows are autocommitted.
- One row: a table of 8 columns and 3 indexes, statements prepared and autocommitted, `create()` of
  Django; on the processor is the time of the backend: with the policy's triggers divided by that
  without, and less that without. The microseconds are those of a machine that is up to three times
  as fast at one time as at another; the ratio says more. 8 clients are those of pgbench. Logged:
  bytes of WAL of an INSERT with its row of the pending list. With `--fsync` an INSERT took 1.6 to
  1.7 of the plain one's time, `create()` 1.1 to 1.3; 8 clients had a rate of 0.32 to 0.47, before
  the pending list. What was tried, and what would reach the rest:
  [ADR 22](adr/0022-one-row-by-one-function.md) and
  [ADR 47](adr/0047-event-and-entry-in-one-row.md).
- Warm update: time for ten times the rows in a session whose first ten updates were of one row.
  Linear is 10.
- due -> purged: the rate of the runner as a share of a bare `DELETE` of the same rows in batches
  of 10,000 in key order, each committed, without any trigger or ledger. The same for what Django
  offers. The collector's rows have a child each; there the bare side deletes the children too. On
  the processor: the time of the backend and of Python, the bare side's divided by the runner's.
  What takes the rest, and what was tried: [ADR 33](adr/0033-sent-together.md); of rows written
  singly, each of which has an entry and an event:
  [ADR 23](adr/0023-entries-of-one-row-are-gathered.md); gathered, as they are where they end two
  hours later or more: [ADR 47](adr/0047-event-and-entry-in-one-row.md).
- Under 400,000 holds: the rate of the runner for 40,000 due rows while so many other rows of the
  model are held, as a share of its rate without. Under 400,000 restores: the time of an INSERT, an
  UPDATE and a DELETE of one row each, divided by that without.
- With 5 children: the time of Django's `.delete()`, on the same rows without a policy, divided by
  the runner's. Peak memory is that of a worker's process.
- 100 due times: the rows of a batch lie scattered over the whole table, while the bare DELETE goes
  through it in order; this is a backlog, rows that fall due in time come in the order they have.
- Media: keys a second of the media step, from the agenda to the ledger, as a share of a bare loop
  of boto3's `delete_objects` in the same bucket (OpenStack Swift on this machine), with 100,000
  rows that may show the names. Singly: an event for each name. One by one: `storage.delete()`.
  Medians of 3 rounds.
- Archive: audit logs to `jsonl.gz` by isal, `jsonl.zst`, or Parquet, in a bucket of OpenStack Swift
  on this machine. Made: rows read, written, put and read back, as a share of the rate of
  `COPY .. TO STDOUT` through gzip and an upload, which reads nothing back. The whole way: from due,
  with each row looked at when it is chosen and again when it is locked and deleted, to the ledger.
  On the processor: of the backend and of this process, not of the store. At the store: what putting
  and reading back takes of the clock of the three whole ways. What takes the rest, and
  what was tried: [ADR 38](adr/0038-rows-of-an-archive-come-together.md). Medians of 3
  rounds.
- Idle: what the worker asks once a second while nothing is due, over an agenda of an entry a row.
- Lag: from the row's due time to the event in the ledger, with `manage.py run_huey`; due times are
  rounded up to the policy's resolution, one second.
- Ledger: event and agenda entry with all indexes, divided by the rows; gathered: a minute later,
  without the pages of the pending list, which the next rows fill again.
- Partition: 1,000,000 rows of three columns in a table that is partitioned by time, from finding
  the partition to the commit; the rate against that of a bare `DELETE` of the same rows in batches
  of 10,000, each from where the last one ended. A reader asks the same table all the time for rows
  of another partition. Medians of 3 rounds, at a load of 11, when the clock says less.
- live(): the first page of a table of which every other row is past its end, against the plain
  page.
- Tree: leaves appended to a log's tiles, by processor time, as a share of hashing the pairs of as
  many leaves one after the other in Python. Certificate: of one row among 100 that were purged
  together, made with all that is asked of ledger and store; checked, by processor time, without
  the start of Python, which a test holds below 100 ms with it.
- Sealing: events of a row each; on one processor is the time of server and Python together, without
  parallel workers, which the clock has. Publishing: from the table into a folder, compared with
  what was sealed and read back; the bare side is `COPY` of the same events through gzip into a
  file.
"""
