"""What people have asked for, once a minute: one question, and nothing more while nothing waits."""

from lifecycle.db.connection import fetch, statement
from purge.plans.refusals import LASTS, SHOWN_FOR
from purge.plans.withdraw import forget_old
from purge.requests.told import RESTORED
from purge.requests.tries import retry


def do_what_was_asked(using: str) -> bool:
    """Withdraw plans that are too old, and try requests for erasure again; whether rows are to
    leave archives, which takes longer and is the caller's."""
    given = {"lasts": LASTS, "shown_for": SHOWN_FOR, "restored": RESTORED}
    is_old, is_open, in_archives = fetch(using, statement(__file__, "waits"), given)[0]
    if is_old:
        forget_old(using)
    if is_open:
        retry(using)
    return bool(in_archives)
