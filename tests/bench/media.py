"""Files that no row shows any more: the media step against bare deletes in the same bucket."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import sql

ROUNDS = 3  # a test server takes ten milliseconds for an object, many times what is measured
SLOW_SHARE = 5  # one by one, of so many only one
LIVE = 100_000  # rows with a file, which the step asks whether they show a name
_numbers = itertools.count()


def measure(plan: Plan) -> None:
    """Keys a second, in a bucket of a real server, with live objects between them."""
    from django.core.files.storage import default_storage

    from tests.purge.media.support import bucket_storage
    from tests.s3 import swift

    sql(
        "INSERT INTO zoo_upload (file) SELECT 'live/' || i || '.jpg'"
        f" FROM generate_series(1, {min(LIVE, plan.rows)}) AS i"
    )
    with swift.running() as server, bucket_storage(server.bucket(), location="media") as bucket:
        sides = [Side(bucket, plan.keys, act) for act in (bare, step_at_once, step_singly)]
        slow = Side(bucket, max(plan.keys // SLOW_SHARE, 1), one_by_one)
        default_storage.exists("nothing")  # makes its client
        some = Plan(rounds=min(ROUNDS, plan.rounds))
        seconds = paired(some, *(side.run for side in (*sides, slow)))
    per_key = [[each / side.keys for each in s] for s, side in zip(seconds, (*sides, slow))]  # noqa: B905
    bare_loop, together, singly, single = per_key
    plan.add(
        Result("media, one statement", over(bare_loop, together), ">= 0.7"),
        Result("media, rows deleted singly", over(bare_loop, singly), ">= 0.7"),
        Result("media, storage.delete() one by one", over(bare_loop, single)),
    )
    sql("SET session_replication_role = replica")
    sql("TRUNCATE zoo_upload, lifecycle_event, lifecycle_agenda, purge_run")
    sql("SET session_replication_role = origin")


class Side:
    """So many objects, which something deletes; a live one stands between each ten."""

    def __init__(self, bucket, keys: int, act: Callable) -> None:
        self.bucket, self.keys, self.act = bucket, keys, act

    def run(self) -> float:
        folder = f"r{next(_numbers)}"
        names = [f"{folder}/{number:06}.jpg" for number in range(self.keys)]
        live = [f"{name}.live" for name in names[::10]]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self.bucket.put(f"media/{name}"), [*names, *live]))
        taken = self.act(self.bucket, names)
        assert len(self.bucket.keys(f"media/{folder}/")) == len(live)
        return taken


def bare(bucket, names: list[str]) -> float:
    """The loop that everybody writes."""

    def delete() -> None:
        for first in range(0, len(names), 1000):
            objects = [{"Key": f"media/{name}"} for name in names[first : first + 1000]]
            bucket.client.delete_objects(Bucket=bucket.name, Delete={"Objects": objects})

    return timed(delete)


def one_by_one(bucket, names: list[str]) -> float:
    from django.core.files.storage import default_storage

    return timed(lambda: [default_storage.delete(name) for name in names])


def step_at_once(bucket, names: list[str]) -> float:
    return _step([names])


def step_singly(bucket, names: list[str]) -> float:
    return _step([[name] for name in names])


def _step(events: list[list[str]]) -> float:
    from purge.media.run import run_media
    from tests.purge.media.support import orphaned

    for names in events:
        for first in range(0, len(names), 1000):
            orphaned(*names[first : first + 1000], wait=False)
    # Orphaned a while after they were uploaded.
    sql("SET session_replication_role = replica")
    sql("UPDATE lifecycle_event SET recorded_at = recorded_at + interval '1 hour'")
    sql("SET session_replication_role = origin")
    found = []
    taken = timed(lambda: found.append(run_media()))
    assert found[0].purged == sum(map(len, events)), found
    return taken
