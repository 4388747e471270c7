"""The check of tables of which the ledger here does not see all that is written."""

from collections.abc import Iterator

from django.core.checks import CheckMessage
from psycopg import sql

from lifecycle.checks.messages import warning
from lifecycle.install.reach import elsewhere, hidden, subscribed


def out_of_reach(using: str) -> Iterator[CheckMessage]:
    """W117, W123, W132: a table of another schema, or that hides rows, or is a replica."""
    for place in elsewhere(using):
        text = (
            f"{place} is not of the ledger's schema: nothing of it is recorded, no policy ends it."
        )
        hint = "Keep tenants in one table, or give each a database with a ledger of its own."
        yield warning(117, text, hint)
    for each in subscribed(using):
        text = f"{each}, past the triggers: they are on no agenda, nothing of them is recorded."
        hint = "When this is the site's database: drop it, `manage.py lifecycle backfill`."
        yield warning(132, text, hint)
    for table, role in hidden(using):
        quoted = sql.Identifier(role).as_string()
        text = (
            f"Row level security hides rows of {table!r} from {quoted}: policies halt, files stay."
        )
        yield warning(123, text, f"ALTER ROLE {quoted} BYPASSRLS;")
