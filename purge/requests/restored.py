"""Requests after a restore: what the ledger knows is back; what it may have lost waits."""

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from purge.models import Request
from purge.requests.told import rebuild, say, told_of
from purge.requests.tries import receipt_of


def back(using: str, actor: str) -> int:
    """Make the table again from the ledger, and have open requests wait for somebody where nobody
    can tell whether one was answered since the backup: where nothing is published of the ledger.

    Not those that it has under way, or done. Returns how many wait.
    """
    rebuild(using)
    return 0 if conf.PROOF else withhold(using, actor)


def withhold(using: str, actor: str = "") -> int:
    """Have open requests wait for somebody, but for those under way; how many do now."""
    withheld = 0
    for each in Request.objects.using(using).filter(done_at=None).order_by("pk"):
        told = told_of(each.pk, using)
        if told and not told.withheld and not _is_under_way(each, using):
            say(each, "withheld", actor, using)
            withheld += 1
    return withheld


def _is_under_way(request: Request, using: str) -> bool:
    try:
        return any(each.state != "withdrawn" for each in receipt_of(request, using))
    except LifecycleError:  # its model is not in the code any more
        return True
