"""Where the data of a policy's rows is, and what becomes of it there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Model

from lifecycle.conf import conf
from lifecycle.db.rows import home
from lifecycle.insight.words import span
from lifecycle.phrases import phrase
from lifecycle.policy.dispositions import Archive, Update
from lifecycle.policy.media_fields import ended_by, file_fields, unwatched
from lifecycle.policy.policy import Policy


def places(policy: Policy) -> tuple[str, ...]:
    """Rows, what goes along with them, files, archives and backups, a sentence each."""
    return tuple(_places(policy))


def _places(policy: Policy) -> Iterator[str]:
    own: Any = policy.model._meta.concrete_model
    changed = isinstance(policy.disposition, Update)
    yield phrase(
        "Rows: table %(table)s in database %(database)s.",
        table=own._meta.db_table,
        database=home(own),
    )
    along = sorted({model._meta.label for model in ended_by(policy)} - {own._meta.label})
    if along and not changed:
        yield phrase("Rows that go along: %(models)s.", models=", ".join(along))
    yield from () if changed else _files(policy)
    if isinstance(policy.disposition, Archive):
        yield phrase(
            "Archives: under %(prefix)s (%(formats)s), until they are deleted there.",
            prefix=policy.disposition.prefix,
            formats=", ".join(policy.disposition.formats),
        )
    yield backups()


def backups() -> str:
    """How long a backup may still have what has ended."""
    if conf.BACKUP_MAX_AGE is None:
        return phrase("Backups made before the end: until each of them is deleted.")
    longest = span(timedelta(seconds=conf.BACKUP_MAX_AGE))
    return phrase("Backups made before the end: for at most %(time)s after.", time=longest)


def _files(policy: Policy) -> Iterator[str]:
    left = set(unwatched())
    for model in sorted(set(ended_by(policy)), key=lambda each: each._meta.label):
        for name in _file_names(model):
            field = f"{model._meta.label}.{name}"
            if model in left:
                yield phrase("Files: %(field)s; they stay.", field=field)
            else:
                yield phrase("Files: %(field)s; they are deleted after their rows.", field=field)


def _file_names(model: type[Model]) -> list[str]:
    return [field.name for field in file_fields(model)]
