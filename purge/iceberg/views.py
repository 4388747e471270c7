"""The catalogue as other programs read it: `iceberg_tables`, as Iceberg's JDBC catalogues have it.

Views of the schema `lifecycle`, made after `migrate`. Everybody who may connect may read them: they
say where tables are, and which metadata count. Nobody writes by them.
"""

from typing import Any

from django.db import connections, transaction

from lifecycle.db.connection import fetch, scalar, statement


def make_views(using: str = "default", **kwargs: Any) -> None:
    """Make the views, or make them anew; a receiver of `post_migrate`.

    Does nothing where the ledger is not in this database.
    """
    if connections[using].vendor != "postgresql":
        return
    with transaction.atomic(using=using):
        if scalar(using, statement(__file__, "may_be_made")):
            for name in ("tables", "namespaces", "readers"):
                fetch(using, statement(__file__, name))
