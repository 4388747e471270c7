"""A worker that kills itself in a pass: `killed.py GATE STORAGES MEDIA_ROOT`."""

import json
import os
import signal
import sys
from typing import Any

GATES = ("rows", "deleted", "told")


def die(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(gate: str, storages: str, media_root: str) -> None:
    import django
    from django.conf import settings

    settings.STORAGES = json.loads(storages)
    settings.MEDIA_ROOT = media_root
    django.setup()
    from purge.media import batch, decide
    from purge.media import run as media
    from purge.runner import run_due

    if gate == "rows":  # committed, and nothing done about their files
        media.run_media = die
    if gate == "deleted":  # the store has done it, and nobody was told
        real = decide._after
        decide._after = lambda *given: die() or real(*given)
    if gate == "told":  # written, not committed
        record = batch.record
        batch.record = lambda found: record(found) or die()
    run_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
