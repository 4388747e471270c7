"""Why a policy may not act now, in words: after its name and "is"."""

from django.db import DEFAULT_DB_ALIAS

from lifecycle.db.version import to_install
from lifecycle.insight.causes import CAUSES
from lifecycle.phrases import phrase, word
from lifecycle.policy.purge_hours import OUTSIDE

OUTDATED, ALTERED = (
    CAUSES[each].ends_nothing(DEFAULT_DB_ALIAS) for each in ("outdated", "altered")
)
ELSEWHERE = phrase(
    "on a table of the ledger's schema, and this connection has another one in its place, by its "
    "search path or a temporary one: nothing of it ends here"
)
UNKNOWN = f"not in the database: {to_install(DEFAULT_DB_ALIAS)}"
OTHER_VERSION = phrase("of another version than the database")
UNPROVED = phrase("not compared with what was published of the ledger")


def in_words(found: str, using: str) -> str:
    """What to do is of this database; '' where the policy may act."""
    said = {
        OUTDATED: CAUSES["outdated"].ends_nothing(using),
        ALTERED: CAUSES["altered"].ends_nothing(using),
        UNKNOWN: phrase("not in the database: %(command)s", command=to_install(using)),
        ELSEWHERE: ELSEWHERE, OTHER_VERSION: OTHER_VERSION, UNPROVED: UNPROVED, OUTSIDE: OUTSIDE,
    }  # fmt: skip
    return said.get(found) or word(found)
