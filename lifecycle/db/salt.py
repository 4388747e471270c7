"""Whether the ledger has the salt of its hashes: a dump of one schema leaves it out."""

from lifecycle.db.connection import scalar, statement

LOST = (
    "The ledger came without its salt, as from a dump of one schema: rows that ended before this"
    " database was restored are not known again, and those that came back are counted as newer."
    " Restore the schema `lifecycle` too."
)


def without_salt(using: str) -> str:
    """What a replay cannot know, in words; empty where ledger and salt belong together."""
    return LOST if scalar(using, statement(__file__, "is_other")) else ""
