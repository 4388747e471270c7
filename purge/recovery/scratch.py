"""A database made of a dump, for one drill, on the server of the live one; dropped afterwards.

Within the block this thread's connection of the alias is one to the scratch database, and no code
that it runs reaches the live one by that alias. The name is marked in the database's comment: what
a killed drill has left, the next one drops, and nothing else.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connections

from lifecycle.db.connection import statement
from lifecycle.exceptions import LifecycleError
from purge.proof import gate, place

MARK = "made by manage.py lifecycle drill"
CUSTOM = b"PGDMP"  # how dumps of `pg_dump -Fc` begin


@contextmanager
def restored(using: str, dump: Path, name: str = "") -> Iterator[str]:
    """Restore a dump into a scratch database, and be in it; gives its name.

    `LifecycleError` where the dump cannot be restored as a whole, or a database of that name is
    there that no drill has made.
    """
    live = connections[using]
    scratch = name or f"{live.settings_dict['NAME']}_drill"[:63]
    if scratch in {str(connections[each].settings_dict["NAME"]) for each in connections}:
        raise LifecycleError(f"{scratch} is a database of this site.")
    if not dump.exists():
        raise LifecycleError(f"There is no dump {dump}.")
    _make(live, scratch)
    copy = live.copy()
    copy.settings_dict["NAME"] = scratch
    try:
        _restore(copy, dump)
        with _in_place(using, copy, live):
            yield scratch
    finally:
        _administer(live, "drop", scratch)


@contextmanager
def _in_place(using: str, copy: Any, live: Any) -> Iterator[None]:
    connections[using] = copy
    gate.forget(using)
    try:
        with place.silent(using):
            yield
    finally:
        copy.close()
        connections[using] = live
        gate.forget(using)


def _make(live: Any, scratch: str) -> None:
    try:
        with live._nodb_cursor() as cursor:
            cursor.execute(statement(__file__, "comment_of"), {"name": scratch})
            found = cursor.fetchone()
        if found and found[0] != MARK:
            raise LifecycleError(f"There is a database {scratch}, which no drill has made.")
        if found:
            _administer(live, "drop", scratch)
        _administer(live, "make", scratch)
        _administer(live, "mark", scratch)
    except DatabaseError as error:
        why = str(error).splitlines()[0]
        raise LifecycleError(f"No scratch database can be made: {why}.") from error


def _administer(live: Any, name: str, scratch: str) -> None:
    with live._nodb_cursor() as cursor:
        cursor.execute(statement(__file__, name, database=scratch))


def _is_archive(dump: Path) -> bool:
    """Whether a dump is for `pg_restore`: custom, directory or tar format."""
    if dump.is_dir():
        return True
    with dump.open("rb") as file:
        head = file.read(512)
    return head.startswith(CUSTOM) or head[257:262] == b"ustar"


def _restore(copy: Any, dump: Path) -> None:
    """By the server's own tools, as the settings reach it; all of it, or none."""
    arguments, more = copy.client.settings_to_cmd_args_env(copy.settings_dict, [])
    address = [*arguments[1:-1], "-d", arguments[-1]]
    if _is_archive(dump):
        command = ["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges"]
        command += [*address, str(dump)]
    else:
        command = ["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", *address, "-f", str(dump)]
    program = shutil.which(command[0])
    if program is None:
        raise LifecycleError(f"There is no {command[0]} on this machine's PATH.")
    environment = os.environ | (more or {})
    done = subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LifecycleError(f"{dump} cannot be restored: {said}.")
