"""Where the data of a policy's rows is, and what becomes of it there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Model

from lifecycle.conf import conf
from lifecycle.db.rows import home
from lifecycle.insight.words import span
from lifecycle.policy.dispositions import Archive, Update
from lifecycle.policy.media_fields import ended_by, file_fields, unwatched
from lifecycle.policy.policy import Policy


def places(policy: Policy) -> tuple[str, ...]:
    """Rows, what goes along with them, files, archives and backups, a sentence each."""
    return tuple(_places(policy))


def _places(policy: Policy) -> Iterator[str]:
    own: Any = policy.model._meta.concrete_model
    changed = isinstance(policy.disposition, Update)
    yield f"Rows: table {own._meta.db_table} in database {home(own)}."
    along = sorted({model._meta.label for model in ended_by(policy)} - {own._meta.label})
    if along and not changed:
        yield f"Rows that go along: {', '.join(along)}."
    yield from () if changed else _files(policy)
    if isinstance(policy.disposition, Archive):
        yield (
            f"Archives: under {policy.disposition.prefix} "
            f"({', '.join(policy.disposition.formats)}), until they are deleted there."
        )
    yield backups()


def backups() -> str:
    """How long a backup may still have what has ended."""
    if conf.BACKUP_MAX_AGE is None:
        return "Backups made before the end: until each of them is deleted."
    longest = span(timedelta(seconds=conf.BACKUP_MAX_AGE))
    return f"Backups made before the end: for at most {longest} after."


def _files(policy: Policy) -> Iterator[str]:
    left = set(unwatched())
    for model in sorted(set(ended_by(policy)), key=lambda each: each._meta.label):
        for name in _file_names(model):
            after = "stay" if model in left else "are deleted after their rows"
            yield f"Files: {model._meta.label}.{name}; they {after}."


def _file_names(model: type[Model]) -> list[str]:
    return [field.name for field in file_fields(model)]
