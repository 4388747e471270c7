"""The ledger's text of a key as an expression of Django's queries."""

from typing import Any

from django.db.models import Func, TextField

from lifecycle.compiler.keys import key_of


class KeyText(Func):
    """The text that row exceptions have of a key; its argument is the key of some row."""

    arity = 1
    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """The key's column has no parameters, so it may stand there several times."""
        (source,) = self.get_source_expressions()
        own, _ = compiler.compile(source)
        return key_of(source.target.model).text(own), []
