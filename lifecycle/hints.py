"""Parts of the commands that messages tell people to type."""

from django.db import DEFAULT_DB_ALIAS


def database_option(using: str) -> str:
    """What such a command needs to say of the database: nothing of the default."""
    return "" if using == DEFAULT_DB_ALIAS else f" --database {using}"
