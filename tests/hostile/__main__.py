"""Makes the site, lets it write, has a worker purge, and prints what became of each cell."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server() -> Iterator[None]:
    """DATABASE_URL's database, which has to be empty; else one on an embedded server."""
    from tests.bench.server import address
    from tests.infra.servers import data_folder

    if os.environ.get("DATABASE_URL"):
        yield
        return
    from lifecycle import embedded

    with data_folder() as data, embedded.server(data, fsync="off") as entry:
        os.environ["DATABASE_URL"] = address(entry, entry["NAME"])
        yield


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--all", action="store_true", help="every key on every form")
    parser.add_argument("--part", metavar="N/M", help="one part of M of them, from 1 on")
    options = parser.parse_args()
    if options.all or options.part:
        os.environ["HOSTILE_CELLS"] = options.part or "all"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hostile.settings"
    with server():
        import django

        django.setup()
        from tests.hostile import report

        found = report.run()
        sys.stdout.write(report.page(found))
        wrong = report.faults(found)
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
