"""`python -m tests.faults --seeds FROM:UNTIL`: exit code 1 where a schedule breaks."""

import argparse
import os
import sys
import time

import django


def main() -> int:
    """Run them, name the seeds that break, count."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seeds", default="0:30", metavar="FROM:UNTIL", help="or one seed")
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    seeds = range(int(first), int(last or int(first) + 1))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    django.setup()
    from tests.faults.nursery import Nursery

    nursery = Nursery()
    try:
        broken = each(nursery, seeds)
    finally:
        nursery.close()
    print(f"{len(seeds)} schedules, {len(broken)} broken{': ' if broken else ''}{broken or ''}")
    return int(bool(broken))


def each(nursery: "object", seeds: range) -> list[int]:
    """The seeds that break."""
    from tests.faults.run import run
    from tests.faults.world import running

    broken = []
    with running(nursery) as world:  # type: ignore[arg-type]
        for seed in seeds:
            began = time.monotonic()
            found = run(world, seed)
            print(f"seed {seed}: {time.monotonic() - began:.1f} s, {len(found)} wrong", flush=True)
            for said in found:
                print(f"  {said}", flush=True)
            broken += [seed] if found else []
    return broken


if __name__ == "__main__":
    sys.exit(main())
