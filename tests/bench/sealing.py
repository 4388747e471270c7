"""What the sealed ledger costs: to seal, to publish, for who writes; and a replay over it."""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from tests.bench.proving import ORIGIN, spent
from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import clear, sql
from tests.bench.singly import processor
from tests.bench.writing import insert

SINGLY = """
DO $$ BEGIN FOR i IN 1 .. {} LOOP
  INSERT INTO bench_tracked (label, active, expires_at)
  VALUES ('a label', true, now() + interval '30 days' + i * interval '1 s');
END LOOP; END $$
"""
PAST = "now() - interval '1 hour'"


def measure(plan: Plan) -> None:
    """Events of a row each; with the log in a folder."""
    from django.test import override_settings

    from lifecycle.proof.keys import SignerKey

    key = SignerKey.generate(ORIGIN).secret_text()
    with tempfile.TemporaryDirectory() as folder:
        proof = {"origin": ORIGIN, "signing_key": lambda: key}
        with override_settings(LIFECYCLE_PROOF=proof, LIFECYCLE_ARCHIVE_DIR=folder):
            sealed_and_shipped(plan, Path(folder))
            writers(plan)
    _no_log()
    replay(plan)


def _no_log() -> None:
    sql("TRUNCATE lifecycle_log, lifecycle_seal")


def _begin(number: int) -> None:
    """A log of its own, in which nothing is sealed yet."""
    from lifecycle.sealing.log import open_log

    _no_log()
    open_log("default", number, f"{ORIGIN}/{number}")


def sealed_and_shipped(plan: Plan, folder: Path) -> None:
    """Events a second of processor time: the server's and this process's together."""
    from lifecycle.sealing.seal import seal_all
    from purge.proof.options import proof_options
    from purge.proof.ship import ship_all

    clear()
    events = plan.rows // 2
    sql(SINGLY.format(events))
    options = proof_options()
    assert options
    clock, sealing, shipping, bare, stored = [], [], [], [], []
    for turn in range(plan.rounds):
        _begin(2 * turn + 1)
        clock.append(events / timed(lambda: seal_all("default")))
        _begin(2 * turn + 2)
        with alone():
            sealing.append(events / _both(lambda: seal_all("default")))
        before = _bytes(folder)
        shipping.append(events / _both(lambda: ship_all("default", options)))
        stored.append((_bytes(folder) - before) / events)
        bare.append(events / _both(lambda: copied(folder / "bare.gz")))
    plan.add(
        Result("sealing, by the clock", clock, ">= 200000", "events/s"),
        Result("sealing, on one processor", sealing, unit="events/s"),
        Result("publishing, on the processor", shipping, unit="events/s"),
        Result("publishing, against COPY, gzip and a file", over(shipping, bare)),
        Result("published", stored, unit="bytes an event"),
    )


@contextmanager
def alone() -> Iterator[None]:
    """Without parallel workers, whose processor time is not the session's."""
    sql("SET max_parallel_workers = 0")
    yield
    sql("RESET max_parallel_workers")


def copied(path: Path) -> None:
    """All events out of the server by COPY, through gzip, into a file that is on the disk."""
    from django.db import connection

    command = "COPY (SELECT * FROM lifecycle_event) TO STDOUT"  # with what is pending
    with connection.cursor() as cursor, path.open("wb") as file:
        zipped = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6)
        with zipped, cursor.cursor.copy(command) as rows:
            for part in rows:
                zipped.write(part)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _both(action: Callable[[], object]) -> float:
    before = processor()
    own = spent(action)
    return own + (processor() - before) / 1e9


def _bytes(folder: Path) -> float:
    return float(sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()))


def writers(plan: Plan) -> None:
    """INSERTs of a row with a log, and without; what is written is sealed between the rounds."""
    from lifecycle.sealing.seal import seal_all

    def written(begin: Callable[[], None]) -> Callable[[], float]:
        def run() -> float:
            begin()
            before = processor()
            wall = timed(lambda: [insert("tracked", 1, PAST) for _ in range(plan.singles)])
            took = (processor() - before) / 1e9 or wall
            return took

        return run

    def with_log() -> None:
        _begin(1)
        seal_all("default")

    without, sealed = paired(plan, written(_no_log), written(with_log), fresh=clear)
    plan.add(
        Result("one row: insert, ledger sealed, on the processor", over(sealed, without), "<= 1.05")
    )


def replay(plan: Plan) -> None:
    """`purge --replay` over endings of which nothing came back, and over a ledger without any."""
    from django.core.management import call_command

    from purge.runner import run_due

    def replayed() -> None:
        call_command("purge", replay=True, yes=True, stdout=StringIO(), stderr=StringIO())

    empty, full = [], []
    for _ in range(min(plan.rounds, 3)):
        clear()
        empty.append(timed(replayed))
        insert("tracked", plan.rows, PAST)
        while any(each.purged for each in run_due().values()):
            pass
        full.append(timed(replayed))
    rates = [plan.rows / max(a - b, 1e-9) for a, b in zip(full, empty, strict=True)]
    plan.add(
        Result("replay, nothing came back, by the clock", rates, unit="endings/s"),
        Result("replay, no endings, by the clock", [each * 1000 for each in empty], unit="ms"),
    )
