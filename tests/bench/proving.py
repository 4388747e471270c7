"""Certificates made and checked, and how fast a tree grows, against hashing alone."""

import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any

from tests.bench.rounds import Plan, Result, over, paired
from tests.bench.server import clear, sql
from tests.bench.writing import insert

ORIGIN = "bench.example/ledger"


def measure(plan: Plan) -> None:
    """Processor time: neither the disk nor others on this machine count."""
    tree(plan)
    certificate(plan)


def spent(action: Callable[[], object]) -> float:
    """Seconds of this process's processor."""
    started = time.process_time()
    action()
    return time.process_time() - started


def tree(plan: Plan) -> None:
    """A leaf costs one node, more or less: the same hashes by `hashlib`, one after the other."""
    from lifecycle.proof.tiled import Edge

    leaves = Random(1).randbytes(32 * plan.rows)
    pairs = range(0, len(leaves) - 32, 32)
    bare, ours = paired(
        plan,
        lambda: spent(lambda: [sha256(b"\1" + leaves[i : i + 64]).digest() for i in pairs]),
        lambda: spent(lambda: Edge().append(leaves)),
    )
    plan.add(
        Result("tree, leaves appended, against hashlib alone", over(bare, ours), ">= 0.5"),
        Result("tree, leaves appended, rate", [plan.rows / each for each in ours], unit="leaves/s"),
    )


def certificate(plan: Plan) -> None:
    """Of one row of a batch, in a log of as many events as there are rows."""
    from django.test import override_settings

    from lifecycle.proof.keys import SignerKey

    key = SignerKey.generate(ORIGIN).secret_text()
    with tempfile.TemporaryDirectory() as folder:
        proof = {"origin": ORIGIN, "signing_key": lambda: key}
        with override_settings(LIFECYCLE_PROOF=proof, LIFECYCLE_ARCHIVE_DIR=folder):
            _certificate(plan, *_published(plan.rows))
    clear()
    sql("TRUNCATE lifecycle_log, lifecycle_seal")


def _published(rows: int) -> tuple[Any, str]:
    """A ledger of so many events is published; a row that was purged, by model and key."""
    from lifecycle.sealing.log import open_log
    from lifecycle.sealing.seal import seal_all
    from purge.proof.options import proof_options
    from purge.proof.ship import ship_all
    from purge.runner import run_due
    from tests.bench.models import Tracked

    clear()
    sql("TRUNCATE lifecycle_log, lifecycle_seal")
    open_log("default", 1, f"{ORIGIN}/1")
    insert("tracked", rows, "now() + interval '30 days' + i * interval '1 s'")
    insert("tracked", 100, "now() - interval '1 hour'")
    key = str(Tracked.objects.order_by("expires_at").values_list("pk", flat=True)[0])
    while any(each.purged for each in run_due().values()):
        pass
    seal_all("default")
    options = proof_options()
    assert options
    ship_all("default", options)
    return Tracked, key


def _certificate(plan: Plan, model: Any, key: str) -> None:
    from lifecycle.proof.certificate import Certificate
    from purge.certificates.make import certify
    from purge.certificates.story import of_row
    from purge.proof.options import proof_options

    options = proof_options()
    assert options
    keys, made, checked = [options.verifier_of(1)], [], []
    for _ in range(plan.rounds):
        whole: list[Any] = []
        started = time.perf_counter()
        whole.append(certify(of_row(model, key, "default"), "default", True))
        made.append((time.perf_counter() - started) * 1000)
        data = whole[0].certificate.encode()
        checked.append(spent(lambda: Certificate.parse(data).verify(keys)) * 1000)  # noqa: B023
    plan.add(
        Result("certificate of a row, made, by the clock", made, unit="ms"),
        Result("certificate, checked", checked, "<= 100", "ms"),
    )
