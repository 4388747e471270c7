"""What people have asked for, once a minute: one question, and nothing more while nothing waits."""

from lifecycle.db.connection import fetch, statement
from purge.plans.refusals import LASTS, SHOWN_FOR
from purge.plans.withdraw import forget_old
from purge.requests.told import RESTORED
from purge.requests.tries import retry
from purge.worker import memory
from purge.worker.jobs import IN_ARCHIVES, archives_task


def do_what_was_asked(using: str) -> None:
    """Withdraw plans that are too old, try requests for erasure again, and wake a worker for rows
    that are to leave archives."""
    given = {"lasts": LASTS, "shown_for": SHOWN_FOR, "restored": RESTORED}
    is_old, is_open, in_archives = fetch(using, statement(__file__, "waits"), given)[0]
    if is_old:
        forget_old(using)
    if is_open:
        retry(using)
    if in_archives and memory.of(using).may_wake(IN_ARCHIVES):
        memory.of(using).note_sent(IN_ARCHIVES)
        archives_task(using)
