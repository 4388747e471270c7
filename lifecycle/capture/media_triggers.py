"""The triggers that record names of files which no row has any more; one set for a table."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pgtrigger
from django.db.models import FileField, Model
from psycopg import sql

from lifecycle.capture.triggers import BOTH, OLD, CaptureTrigger, add, bare, triggers_on
from lifecycle.compiler.keys import label_of_model
from lifecycle.db.sql import literal
from lifecycle.db.tables import table_of
from lifecycle.policy.media_fields import file_fields, watched

VERSION = 1  # of the bodies
#: Names that no policy's triggers can have, which end in _i or _u
TRIGGERS: tuple[tuple[str, Any, Any, Any], ...] = (
    ("lc_media_delete", pgtrigger.Delete, OLD, pgtrigger.After),
    ("lc_media_update", pgtrigger.Update, BOTH, pgtrigger.After),
    ("lc_media_truncate", pgtrigger.Truncate, None, pgtrigger.Before),
)


class MediaTrigger(CaptureTrigger):
    """One operation on a table with file fields."""

    def __init__(
        self, name: str, operation: Any, referencing: Any, when: Any, grace: timedelta
    ) -> None:
        self.grace = grace
        super().__init__(name, operation, referencing, when=when)

    def fingerprint(self, model: type[Model]) -> str:
        fields = [(field.name, str(field.column)) for field in file_fields(model)]
        parts = (label_of_model(model), fields, self.grace / timedelta(seconds=1))
        return f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}-{VERSION}"

    def body(self, model: type[Model]) -> str:
        fields = "".join(self._of(field, model) for field in file_fields(model))
        return bare(__file__, "body_media").replace("@fields@", fields)

    def _of(self, field: FileField, model: type[Model]) -> str:
        column = str(field.column)
        parts = {
            "column": sql.Identifier(column).as_string(),
            "name": literal(column),
            "field": literal(field.name),
            "model": literal(label_of_model(model)),
            "grace": literal(self.grace),
        }
        text = bare(__file__, f"body_media_{str(self.operation).lower()}")
        return re.sub(r"@(\w+)@", lambda token: parts[token[1]], text)


def add_media_triggers() -> None:
    """Attach them to every watched table, once all policies are declared."""
    for each in watched():
        if not has_triggers(each.model):
            for name, operation, referencing, when in TRIGGERS:
                add(each.model, MediaTrigger(name, operation, referencing, when, each.grace))


def has_triggers(model: type[Model]) -> bool:
    """Whether triggers record the files of a model's table."""
    return any(isinstance(each, MediaTrigger) for each in triggers_on(table_of(model)))
