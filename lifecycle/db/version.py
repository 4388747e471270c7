"""Whether this code and the package's part of the database are of the same version.

In a deploy one of them comes first. The triggers are in the database and go on recording with
whatever functions are there; the worker ends nothing until code and database agree, and says so.
"""

from lifecycle.db.connection import scalar, statement
from lifecycle.exceptions import LifecycleError

VERSION = "version 1"  # as the last migration stamps it: see functions/version_stamp.sql


def mismatch(using: str) -> str:
    """Why this code must leave the database alone, with what to do; '' when they fit."""
    found = scalar(using, statement(__file__, "version_now"))
    if found == VERSION:
        return ""
    if found is None:
        return "the package's functions are not in the database: run migrate"
    if found == "uninstalling":
        return "the package is being uninstalled from this database"
    order = "migrate" if _number(found) < _number(VERSION) else "newer code"
    return f"the database has {found} of the package, this code needs {VERSION}: run {order}"


def require(using: str) -> None:
    """Raise `LifecycleError` unless they fit."""
    if why := mismatch(using):
        raise LifecycleError(f"{why[0].upper()}{why[1:]}.")


def _number(stamp: str) -> int:
    digits = stamp.rpartition(" ")[2]
    return int(digits) if digits.isdecimal() else 0
