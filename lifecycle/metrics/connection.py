"""A connection of its own for each scrape, that gives up in time.

The connections of the site's requests may be in a transaction, may be waiting, or may be gone; and
how long they wait is the site's affair.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from lifecycle.conf import conf

SHORTEST = 2  # seconds; libpq waits no shorter


@contextmanager
def opened(using: str) -> Iterator[Any]:
    """A new connection to a database, closed at the end.

    Raises Django's `OperationalError` where the server does not answer in time.
    """
    usual = connections[using].settings_dict
    own = connections.create_connection(using)
    options = {name: each for name, each in usual["OPTIONS"].items() if name != "pool"}
    own.settings_dict = usual | {"OPTIONS": options | _in_time()}
    try:
        yield own
    finally:
        own.close()


def _in_time() -> dict[str, int]:
    """libpq's; what a server that has gone without a word is noticed by."""
    seconds = max(int(conf.METRICS_TIMEOUT), SHORTEST)
    return {
        "connect_timeout": seconds, "tcp_user_timeout": 1000 * seconds,
        "keepalives_idle": seconds, "keepalives_interval": 1, "keepalives_count": 2,
    }  # fmt: skip
