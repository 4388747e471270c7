"""How far a long statement of ours is: its functions tell it in notices, which cost nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

PROGRESS = "lifecycle: progress"  # the notice's text; its detail is two numbers: done, of how many

Tell = Callable[[int, int], None]


@contextmanager
def telling(using: str, tell: Tell | None) -> Iterator[None]:
    """Call `tell` with what is done, and of how much, while statements inside run.

    What it raises is not raised here: psycopg logs it. None: nobody asks.
    """
    if tell is None:
        yield
        return

    def heard(notice: Any) -> None:
        if notice.message_primary == PROGRESS:
            done, total = map(int, notice.message_detail.split())
            tell(done, total)

    connections[using].ensure_connection()
    raw: Any = connections[using].connection
    raw.add_notice_handler(heard)
    try:
        yield
    finally:
        raw.remove_notice_handler(heard)
