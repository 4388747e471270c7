"""Keys that the database does not keep unique, whatever a model says of them.

The ledger names a row by its key. A partitioned table whose primary key has another column beside,
or a table with heirs, may have several rows under one key: then nothing may be done by the key. Nor
under a collation by which keys are equal that the ledger has as two.
"""

from collections.abc import Iterable

from django.db import connections
from django.db.models import Model

from lifecycle.compiler.keys import key_of
from lifecycle.db.connection import Query, fetch, statement


def with_shared_keys(using: str, models: Iterable[type[Model]]) -> list[str]:
    """The tables of those models of which no unique index keeps the ledger's key unique.

    Keys of several columns are left out: rows of such tables go by all of them.
    """
    return [name for (name,) in fetch(using, *shared_keys(using, models))]


def shared_keys(using: str, models: Iterable[type[Model]]) -> Query:
    """The question for `with_shared_keys`: a row for each of those tables."""
    quote = connections[using].ops.quote_name
    single = (model for model in models if not model._meta.is_composite_pk)
    keys = {model._meta.db_table: key_of(model) for model in single}
    params = {"names": list(keys), "tables": [quote(table) for table in keys]}
    params["columns"] = [key.column for key in keys.values()]
    params["collations"] = [key.collation for key in keys.values()]
    return Query(statement(__file__, "with_shared_keys"), params)
