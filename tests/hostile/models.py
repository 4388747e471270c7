"""A model for each key and form that is chosen, made of the two lists."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import F

from tests.hostile.forms import FORMS, Form
from tests.hostile.keys import KEYS, Key

#: "all" is the whole product, "3/12" every twelfth of its tables from the third on
CELLS = os.environ.get("HOSTILE_CELLS", "")


@dataclass(frozen=True)
class Host:
    """A table: a key on a form."""

    key: Key
    form: Form
    number: int

    @property
    def name(self) -> str:
        """The plain name of all that belongs to it."""
        return f"h{self.number}"

    @property
    def policy(self) -> str:
        return f"hosts-{self.number}"

    @property
    def db_table(self) -> str:
        """The name as the model has it."""
        return self.form.table.replace("{name}", self.name)

    @property
    def table(self) -> str:
        """The full name as SQL has it."""
        own = self.db_table if self.db_table.startswith('"') else f'"{self.db_table[:63]}"'
        return own if "." in own else f"{self.form.schema}.{own}"

    def fill(self, text: str) -> str:
        """A text of the form, for this table."""
        parts = {"columns": self.form.columns, "key": self.form.key, "tail": self.form.tail}
        parts |= {"table": self.table, "name": f"{self.form.schema}.{self.name}"}
        for part, value in (parts | {"type": self.key.db_type}).items():
            text = text.replace(f"{{{part}}}", value)
        return text

    @cached_property
    def model(self) -> Any:
        return MODELS[self.number]


def chosen() -> list[Host]:
    """The usual set: each form with the first key, each key on the plain form and on another.

    Or the whole product, or a part of it.
    """
    pairs = [
        (key, form)
        for at, key in enumerate(KEYS)
        for place, form in enumerate(FORMS)
        if CELLS or at == 0 or place == 0 or (at + place) % len(FORMS) == 0
    ]
    part, _, parts = CELLS.partition("/")
    pairs = pairs[int(part) - 1 :: int(parts)] if parts else pairs
    return [Host(key, form, number) for number, (key, form) in enumerate(pairs)]


def _plain(host: Host) -> Any:
    return _made(host, {"id": host.key.field(), **_common(), "expires_at": _end()})


def _unmanaged(host: Host) -> Any:
    return _made(host, {"id": host.key.field(), **_common(), "expires_at": _end()}, managed=False)


def _generated(host: Host) -> Any:
    end = models.GeneratedField(expression=F("ends"), output_field=_end(), db_persist=True)
    return _made(host, {"id": host.key.field(), **_common(), "ends": _end(), "expires_at": end})


def _child(host: Host) -> Any:
    own = {"id": host.key.field(), **_common()}
    base = _class(f"Base{host.number}", (models.Model,), own, db_table=f"{host.name}_base")
    link = models.OneToOneField(
        base, models.CASCADE, parent_link=True, primary_key=True, db_column="id"
    )
    fields = {"base": link, "expires_at": _end()}
    return _class(f"Site{host.number}", (base,), fields, db_table=host.db_table)


def _protected(host: Host) -> Any:
    model = _plain(host)
    link = models.OneToOneField(model, models.PROTECT, primary_key=True, db_column="parent")
    _class(f"Kid{host.number}", (models.Model,), {"parent": link}, db_table=f"{host.name}_kid")
    return model


def _common() -> dict[str, Any]:
    return {"note": models.TextField(), "stuck": models.BooleanField()}


def _end() -> Any:
    return models.DateTimeField(null=True)


def _made(host: Host, fields: dict[str, Any], **meta: Any) -> Any:
    return _class(f"Site{host.number}", (models.Model,), fields, db_table=host.db_table, **meta)


def _class(name: str, bases: tuple[Any, ...], fields: dict[str, Any], **meta: Any) -> Any:
    own = type("Meta", (), {"app_label": "hostile", **meta})
    return type(name, bases, {"__module__": __name__, "Meta": own, **fields})


#: by `Form.model`
MAKERS = {
    "plain": _plain,
    "unmanaged": _unmanaged,
    "generated": _generated,
    "child": _child,
    "protected": _protected,
}
HOSTS = chosen()
MODELS = [MAKERS[host.form.model](host) for host in HOSTS]
