"""Whether the ledger says that another archive stands in the place of one, with fewer rows."""

from lifecycle.db.connection import scalar, statement


def rewritten_by(name: str, using: str) -> int | None:
    """The event by which it is so; None where it is not. Such a name is never given again."""
    found: int | None = scalar(using, statement(__file__, "rewritten"), {"archive": name})
    return found
