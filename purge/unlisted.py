"""What the agenda lists only after somebody has looked; every way into a pass begins with it."""

from lifecycle.ledger.pending import move_pending
from purge.partitions.drop import find_partitions
from purge.sources.windows.sweep import find_windows


def list_unlisted(using: str) -> None:
    """List rows written singly in sets, windows with rows that came past their end, and partitions
    that are over."""
    move_pending(using)
    list_over(using)


def list_over(using: str) -> None:
    """List windows with rows that came past their end, and partitions that are over."""
    find_windows(using)
    find_partitions(using)
