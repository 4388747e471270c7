"""python -m tests.bench: measure, print, write build/bench.json."""

import argparse
import importlib
from pathlib import Path

from tests.bench.rounds import Plan, quick
from tests.bench.server import ROOT, database, prepare

PARTS = (
    "writing", "ending", "excepting", "cascading", "media", "archiving", "waiting", "storing",
    "proving", "sealing", "partitions",
)  # fmt: skip


def main() -> None:
    """Run the parts that are wanted."""
    wanted = arguments().parse_args()
    plan = quick() if wanted.quick else Plan()
    with database(wanted.fsync):
        prepare()
        from django.db import connections

        from tests.bench import report

        try:
            for part in wanted.only or PARTS:
                importlib.import_module(f"tests.bench.{part}").measure(plan)
            report.show(plan)
            report.write_json(plan, wanted.output)
            if wanted.write_docs:
                report.write_page(plan)
        finally:
            connections.close_all()


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows: only shows that it runs")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument(
        "--only", choices=(*PARTS, "singly"), action="append", help="measure this part"
    )
    parser.add_argument("--fsync", action="store_true", help="a server that waits for the disk")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    return parser


if __name__ == "__main__":
    main()
