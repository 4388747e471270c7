"""The session with the database that one test hands to the next: reset, not opened anew.

Django closes it after each test that commits; then the next one's server process has to read the
catalogue, and to compile every function, from the start, which took as long as a third of a test.
Only a session that this file itself has opened, with the same settings, is handed on.
"""

from typing import Any, NamedTuple

from django.db import connections

# All of DISCARD ALL but for the plans; statistics are told as at a session's end. What the last
# statement gives is what new sessions begin with.
RESET = """
RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();
DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_stat_force_next_flush();
SELECT coalesce(string_agg(o::text, ';' ORDER BY o::text), '') FROM pg_db_role_setting AS o
"""


class Opened(NamedTuple):
    """A session, how it was asked for, and what the server gave to all that began with it."""

    session: Any
    settings: str
    given: str


# (database) -> the session that the test under way was handed
_handed: dict[str, Opened] = {}


def hand_on(aliases: set[str]) -> None:
    """Reset or renew the sessions with these databases; close all others."""
    for connection in connections.all(initialized_only=True):
        before = _handed.pop(connection.alias, None)
        if connection.alias not in aliases:
            connection.close()
        elif before is None or before != _now(connection):
            connection.close()
            connection.ensure_connection()
            _handed[connection.alias] = _now(connection)
        else:
            connection.init_connection_state()  # what Django sets in a new one
            _handed[connection.alias] = before


def _now(connection: Any) -> Opened | None:
    """The session as it is, reset; None where there is none, or it can be of no use."""
    if connection.connection is None or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        cursor.execute(RESET)
        while cursor.nextset():
            pass
        [(given,)] = cursor.fetchall()
    return Opened(connection.connection, str(connection.settings_dict), given)
