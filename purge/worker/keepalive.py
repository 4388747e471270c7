"""Connection options by which a worker notices within a minute that its database is gone.

A server whose machine dies, or a firewall that forgets a connection, closes nothing: the worker
would wait for an answer until the system's own time is over, which is two hours.
"""

from typing import Any

# libpq's; of no meaning on a Unix socket. tcp_user_timeout is in milliseconds.
TIMES = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def keep_alive(aliases: list[str]) -> None:
    """Have this process's connections, from the next one on, check that the server is there.

    Options of the site's DATABASES come first. Called in a worker only: how long the
    site's own requests wait is the site's affair.
    """
    from django.db import connections  # settings import this module

    for alias in aliases:
        options: dict[str, Any] = connections[alias].settings_dict["OPTIONS"]
        for name, value in TIMES.items():
            options.setdefault(name, value)
