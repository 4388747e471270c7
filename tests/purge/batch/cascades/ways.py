"""Every `on_delete` there is, as a foreign key; those of the database also by SQL that no model
knows of."""

from typing import Any

from django.db import migrations, models
from django.db.models import DO_NOTHING

SPARE = 1  # the key of the row that links are set to
DJANGO = {
    "cascade": models.CASCADE,
    "protect": models.PROTECT,
    "restrict": models.RESTRICT,
    "set_null": models.SET_NULL,
    "set_default": models.SET_DEFAULT,
    "do_nothing": DO_NOTHING,
}
#: those of Django 6.1 that the database carries out; an older Django has none of them
NATIVE = {
    f"db_{name}": getattr(models, f"DB_{name.upper()}")
    for name in ("cascade", "set_null", "set_default")
    if hasattr(models, f"DB_{name.upper()}")
}
SQL = {
    "sql_cascade": "CASCADE",
    "sql_set_null": "SET NULL",
    "sql_set_default": "SET DEFAULT",
}
WAYS = ["cascade", "protect", "restrict", "set_null", "set_default", "set", "do_nothing"]
WAYS += [*NATIVE, *SQL]


def set_to_spare() -> int:
    """What `SET()` calls."""
    return SPARE


def foreign_key(to: str, way: str) -> Any:
    """A key that is empty unless a row says otherwise, and knows what its database is to do."""
    on_delete = DJANGO.get(way) or NATIVE.get(way) or DO_NOTHING
    if way == "set":
        on_delete = models.SET(set_to_spare)
    options: dict[str, Any] = {"null": True, "related_name": "+"}
    if way == "set_default":
        options["default"] = SPARE
    if way.endswith("_set_default"):
        options["db_default"] = SPARE
    if way in SQL:
        options["db_constraint"] = False
    return models.ForeignKey(to, on_delete, **options)


def keys_by_sql(table: str, upper: str, keys: dict[str, str]) -> list[migrations.RunSQL]:
    """The constraints that no model knows of."""
    text = (
        "ALTER TABLE {0} ADD CONSTRAINT {0}_{1} FOREIGN KEY ({1}_id) REFERENCES {2}"
        " ON DELETE {3} DEFERRABLE INITIALLY DEFERRED"
    )
    return [
        migrations.RunSQL(text.format(table, name, upper, action), migrations.RunSQL.noop)
        for name, action in keys.items()
    ]
