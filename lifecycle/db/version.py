"""Whether this code and the package's part of the database are of the same version.

In a deploy one of them comes first. The triggers are in the database and go on recording with
whatever functions are there; the worker ends nothing until code and database agree, and says so.
"""

from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import own_tables
from lifecycle.exceptions import LifecycleError
from lifecycle.hints import database_option
from lifecycle.phrases import phrase

VERSION = "version 1"  # as the last migration stamps it: see functions/version_stamp.sql
UNINSTALLING = "uninstalling"
RESTORED = phrase(
    "this database was restored without its sequences, and what is written is not recorded: "
    "run `manage.py lifecycle install`"
)
DROP_THEM = "drop them, or begin another session"


def to_install(using: str) -> str:
    """What brings this database up to the code; `migrate` alone would go to the default one."""
    return phrase(
        "run `manage.py migrate%(database)s`, then `manage.py lifecycle install`",
        database=database_option(using),
    )


def mismatch(using: str) -> str:
    """Why this code must leave the database alone, with what to do; '' when they fit.

    Also where this session's temporary tables stand in for the package's: it would read and write
    those.
    """
    found, in_use, shadowed = _look(using)
    if found == VERSION and in_use and shadowed:
        names = ", ".join(shadowed)
        return phrase(
            "this session has temporary tables of its own named %(names)s: drop them, or begin "
            "another session",
            names=names,
        )
    return _other_version(using, found, in_use)


def fits(using: str) -> bool:
    """Whether functions and triggers are of this code's version, and record what is written."""
    found, in_use, _ = _look(using)
    return found == VERSION and in_use


def _other_version(using: str, found: str | None, in_use: bool) -> str:
    """The same of a version that was found."""
    if found == VERSION:
        return "" if in_use else RESTORED
    if found is None:
        return phrase(
            "the package's functions are not in the database: %(command)s",
            command=to_install(using),
        )
    if found == UNINSTALLING:
        return phrase("the package is being uninstalled from this database")
    newer = phrase("newer code")
    order = f"`manage.py migrate{database_option(using)}`"
    return phrase(
        "the database has %(found)s of the package, this code needs %(needed)s: run %(order)s",
        found=found,
        needed=VERSION,
        order=order if _number(found) < _number(VERSION) else newer,
    )


def stamp_of(using: str) -> str | None:
    """What the database says of itself; None where it has no functions of the package."""
    found, _, _ = _look(using)
    return found


def is_in_use(using: str) -> bool:
    """Whether all data is there that a dump had; until then nothing is recorded."""
    _, in_use, _ = _look(using)
    return in_use


def _look(using: str) -> tuple[str | None, bool, list[str]]:
    params = {"tables": own_tables()}
    ((found, in_use, shadowed),) = fetch(using, statement(__file__, "version_now"), params)
    return found, in_use, shadowed


def require(using: str) -> None:
    """Raise `LifecycleError` unless they fit."""
    if why := mismatch(using):
        raise LifecycleError(f"{why[0].upper()}{why[1:]}.")


def _number(stamp: str) -> int:
    digits = stamp.rpartition(" ")[2]
    return int(digits) if digits.isdecimal() else 0
