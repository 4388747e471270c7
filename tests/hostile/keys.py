"""Types of keys: the column's type, Django's field, and values that are easily spelled otherwise.

A value is given by a number from 0 to 99, no two of which have the same one.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from tests.named import Named, named


class CiText(models.TextField):
    """Compared without regard to case, by the extension citext."""

    def db_type(self, connection: Any) -> str:
        return "citext"


class Padded(models.CharField):
    """`bpchar`: spaces at the end are kept, and not compared."""

    def db_type(self, connection: Any) -> str:
        return "bpchar"


def text(number: int) -> str:
    """Texts that are taken for something else, then plain ones."""
    odd = ("", " ", "a,b", '"quoted"', "back\\slash", "{brace}", "NULL", "l'été", "%s", "😀", "0")
    return odd[number] if number < len(odd) else f"text {number}"


@dataclass(frozen=True)
class Key:
    """`otherwise` is SQL that spells the key in `id` in another way that is equal to it.

    `plain` is SQL by which keys that are equal have one text.
    """

    name: str
    db_type: str
    field: Callable[[], Any]
    value: Callable[[int], Any]
    otherwise: str = "id"
    stored: Callable[[Any], Any] = lambda value: value  # what psycopg sends for it
    plain: str = "{}::text"


def pk(field: type[Any], **options: Any) -> Callable[[], Any]:
    return lambda: field(primary_key=True, **options)


YEAR = datetime(2024, 1, 2, 3, 4, 5, 678901, UTC)
KEYS = [
    Key("bigint", "bigint", pk(models.BigIntegerField), lambda n: n - 5),
    Key("uuid", "uuid", pk(models.UUIDField), lambda n: uuid.UUID(int=n)),
    Key("text", "text", pk(models.TextField), text),
    Key("integer", "integer", pk(models.IntegerField), lambda n: n - 2**31),
    Key("smallint", "smallint", pk(models.SmallIntegerField), lambda n: n - 50),
    Key("varchar", "varchar(40)", pk(models.CharField, max_length=40), text),
    Key("bpchar", "bpchar", pk(Padded, max_length=12), lambda n: f"{n:02}  ", "rpad(id::text, 9)"),
    Key("citext", "public.citext", pk(CiText), lambda n: f"Name {n}",
        "upper(id::text)::public.citext", plain="lower({}::text)"),
    Key("numeric", "numeric(20, 2)", pk(models.DecimalField, max_digits=20, decimal_places=2),
        lambda n: Decimal(n - 5) / 4),
    Key("any numeric", "numeric", pk(models.DecimalField, max_digits=20, decimal_places=4),
        lambda n: Decimal(n - 5) / 4, "id * 1.000", plain="trim_scale({})::text"),
    Key("double precision", "double precision", pk(models.FloatField), lambda n: (n + 1) / 3),
    Key("date", "date", pk(models.DateField), lambda n: date(2024, 1, 1) + timedelta(days=n)),
    Key("timestamptz", "timestamptz", pk(models.DateTimeField),
        lambda n: YEAR + n * timedelta(days=1, microseconds=1)),
    Key("time", "time", pk(models.TimeField), lambda n: time(n % 24, n // 24, 5, 678901)),
    Key("interval", "interval", pk(models.DurationField),
        lambda n: timedelta(days=n * 9 - 20, seconds=n, microseconds=7),
        plain="extract(epoch FROM {})::text"),
    Key("inet", "inet", pk(models.GenericIPAddressField), lambda n: f"2001:db8::{n:x}"),
    Key("bytea", "bytea", pk(models.BinaryField), lambda n: bytes([n, 0, 92, 255])),
    Key("an object", "bigint", pk(named(models.BigIntegerField)), Named,
        stored=lambda key: key.value),
]  # fmt: skip
