"""A table, a child table and a policy for each line of the matrix, made for the tests of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from lifecycle import LifecycleQuerySetMixin, Policy, register
from lifecycle.capture.triggers import registered
from lifecycle.install.after_migrate import store
from lifecycle.install.triggers import install
from lifecycle.policy import registry
from tests.keys.matrix import DROPS, MAKES, TYPES, KeyType

APP = "zoo"  # an app that is there; nothing of this is left in it


class QuerySet(LifecycleQuerySetMixin, models.QuerySet):
    """With `live()`."""


class Line(NamedTuple):
    """A line of the matrix with its tables."""

    name: str
    type: KeyType
    model: Any
    child: Any
    policy: Policy

    def row(self, n: int, **values: Any) -> Any:
        """A row with key `n`, written or not."""
        return self.model(pk=self.type.key(n), number=n, **values)


@contextmanager
def tables() -> Iterator[dict[str, Line]]:
    """The lines that this server can have."""
    made = [name for name, text in MAKES.items() if _can(text)]
    lines = {n: _line(n, t) for n, t in TYPES.items() if n in made or n not in MAKES}
    ours = {each for line in lines.values() for each in (line.model, line.child)}
    with connection.schema_editor() as editor:
        for line in lines.values():
            editor.create_model(line.model)
            editor.create_model(line.child)
    for model, trigger in registered():
        if model in ours:
            trigger.install(model)
    install("default")
    for line in lines.values():
        with transaction.atomic():
            store(line.policy, "default")
    try:
        yield lines
    finally:
        _remove(lines, made)


def _can(text: str) -> bool:
    try:
        _run(text)
    except DatabaseError:
        return False
    return True


def _run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def _line(name: str, type_: KeyType) -> Line:
    own = "Key" + re.sub(r"\W", "", name.title())
    columns = {"number": models.IntegerField(), "expires_at": models.DateTimeField(null=True)}
    columns |= {"objects": QuerySet.as_manager(), "key": type_.field(primary_key=True)}
    model = _model(own, **columns)
    child = _model(f"{own}Child", above=models.ForeignKey(model, models.CASCADE))
    slug = re.sub(r"\W+", "-", name.lower()).strip("-")
    policy = Policy(f"keys-{slug}", model, expires="expires_at")
    register(policy)
    return Line(name, type_, model, child, policy)


def _model(name: str, **parts: Any) -> Any:
    meta = type("Meta", (), {"app_label": APP})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **parts})


def _remove(lines: dict[str, Line], made: list[str]) -> None:
    for model, trigger in registered():
        if any(line.model is model for line in lines.values()):
            _run(f"DROP FUNCTION IF EXISTS {trigger.get_pgid(model)} CASCADE")
            trigger.unregister(model)
    with connection.schema_editor() as editor:
        for line in lines.values():
            editor.delete_model(line.child)
            editor.delete_model(line.model)
    for line in lines.values():
        del registry._policies[line.policy.name]
        for model in (line.model, line.child):
            del apps.all_models[APP][model._meta.model_name]
    apps.clear_cache()
    for name in made:
        _run(DROPS[name])
