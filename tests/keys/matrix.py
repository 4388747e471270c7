"""Every type of key that Django and PostgreSQL have: a line each, and nothing else has to be said.

A line gives the field and ten keys of it, by number, no two of them equal to the database.
`respelled` is key 1 in other words, as SQL, where a key has several.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from psycopg.types.range import Range

from tests.named import Named, named

KEYS = 10
TEXTS = ("", "NULL", 'a"b', "a\\b", "{x}", "a,b", " a ", "é", "%s", "it's")
DAY = timedelta(days=1)
SPANS = (
    timedelta(0), 30 * DAY, timedelta(hours=26), -DAY + timedelta(hours=2), 400 * DAY,
    timedelta(microseconds=1), timedelta(seconds=-1.5), DAY, -2 * DAY, timedelta(minutes=1),
)  # fmt: skip
FLOATS = (0.1 + 0.2, 0.3, 0.0, -1.5, 1e-7, 1e300, float("inf"), 2.0**53, 1 / 3, -1e-300)
ADDRESSES = ("10.0.0.1", "10.0.0.2", "::1", *(f"2001:db8::{n}" for n in range(7)))


class Typed(models.Field):
    """A field of a site's own, of a type of PostgreSQL that Django has no field for."""

    def __init__(self, written: str = "", **options: Any) -> None:
        self.written = written
        super().__init__(**options)

    def db_type(self, connection: Any) -> str:
        return self.written


class Real(Typed):
    """A `real`, as text: no double precision of Python's is equal to it."""

    def from_db_value(self, value: Any, *args: Any) -> Any:
        return None if value is None else str(value)


class KeyType(NamedTuple):
    """A line of the matrix."""

    field: Callable[..., Any]
    key: Callable[[int], Any]
    respelled: str = ""
    count: int = KEYS


def number(least: int, step: int = 7) -> Callable[[int], int]:
    return lambda n: least + step * n


def as_object(key: Callable[[int], Any]) -> Callable[[int], Named]:
    return lambda n: Named(key(n))


def uuid_of(n: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(n))


def day(n: int) -> date:
    return date(2026, 1 + n, 12 - n)  # the month and the day change places in other styles


def moment(n: int) -> datetime:
    return datetime(2026, 1 + n, 12 - n, 3, 30, 0, n, tzinfo=UTC)


char = partial(models.CharField, max_length=40)
own: Callable[[str], Any] = lambda written: partial(Typed, written)  # noqa: E731

TYPES = {
    "AutoField": KeyType(models.AutoField, number(1)),
    "BigAutoField": KeyType(models.BigAutoField, number(2**62)),
    "SmallAutoField": KeyType(models.SmallAutoField, number(-30)),
    "IntegerField": KeyType(models.IntegerField, number(-(2**31))),
    "BigIntegerField": KeyType(models.BigIntegerField, number(-(2**63))),
    "SmallIntegerField": KeyType(models.SmallIntegerField, number(-(2**15))),
    "PositiveIntegerField": KeyType(models.PositiveIntegerField, number(0)),
    "PositiveBigIntegerField": KeyType(models.PositiveBigIntegerField, number(2**63 - 64)),
    "PositiveSmallIntegerField": KeyType(models.PositiveSmallIntegerField, number(0, 1)),
    "UUIDField": KeyType(models.UUIDField, uuid_of),
    "CharField": KeyType(char, TEXTS.__getitem__),
    "TextField": KeyType(models.TextField, TEXTS.__getitem__),
    "SlugField": KeyType(models.SlugField, "abcdefghij".__getitem__),
    "EmailField": KeyType(models.EmailField, lambda n: f"a+{n}@example.com"),
    "URLField": KeyType(models.URLField, lambda n: f"https://example.com/?a={n}%20&b='"),
    "FilePathField": KeyType(models.FilePathField, lambda n: f"/a b/{n}"),
    "BooleanField": KeyType(models.BooleanField, lambda n: bool(n), count=2),
    "DateField": KeyType(models.DateField, day),
    "DateTimeField": KeyType(models.DateTimeField, moment),
    "TimeField": KeyType(models.TimeField, lambda n: time(3, 4, n, n)),
    "DurationField": KeyType(models.DurationField, SPANS.__getitem__, "interval '1 mon'"),
    "DecimalField": KeyType(
        partial(models.DecimalField, max_digits=20, decimal_places=4), lambda n: Decimal(n - 4) / 4
    ),
    "FloatField": KeyType(models.FloatField, FLOATS.__getitem__),
    "FloatField, zero": KeyType(models.FloatField, lambda n: float(n - 1), "float8 '-0'"),
    "BinaryField": KeyType(models.BinaryField, lambda n: bytes([n, 0, 255, 92, 39])),
    "GenericIPAddressField": KeyType(models.GenericIPAddressField, ADDRESSES.__getitem__),
    "JSONField": KeyType(models.JSONField, lambda n: ("a", "NULL", 'x"y', "é", "")[n % 5] + str(n)),
    "DateRangeField": KeyType(DateRangeField, lambda n: Range(day(n), day(n) + DAY)),
    "smallint": KeyType(own("smallint"), number(-5)),
    "numeric": KeyType(own("numeric"), lambda n: Decimal(n), "numeric '1.000'"),
    "real": KeyType(partial(Real, "real"), lambda n: f"0.{n + 1}" if n < 9 else "2"),
    "char(5)": KeyType(own("char(5)"), lambda n: f"ab{n}", "char(5) 'ab1  '"),
    "name": KeyType(own("name"), lambda n: f"a b{n}"),
    "timestamp": KeyType(own("timestamp"), lambda n: moment(n).replace(tzinfo=None)),
    "timestamp(3)": KeyType(own("timestamp(3)"), lambda n: f"{day(n)} 03:04:05.12{n}"),
    "timetz": KeyType(own("time with time zone"), lambda n: f"03:04:05.{n}+02"),
    "inet": KeyType(own("inet"), lambda n: f"10.{n}.0.0/16"),
    "cidr": KeyType(own("cidr"), lambda n: f"10.{n}.0.0/16"),
    "macaddr": KeyType(own("macaddr"), lambda n: f"08:00:2b:01:02:0{n}"),
    "bit(8)": KeyType(own("bit(8)"), lambda n: f"{n:08b}"),
    "varbit": KeyType(own("bit varying(12)"), lambda n: f"{n:b}" + "0" * n),
    "oid": KeyType(own("oid"), number(1)),
    "tsquery": KeyType(own("tsquery"), lambda n: f"'a{n}' & 'b'"),
    "enum": KeyType(own("keys_mood"), "abcdefghij".__getitem__),
    "domain": KeyType(own("keys_day"), day),
    "citext": KeyType(own("citext"), lambda n: f"Ab{n}", "citext 'aB1'"),
    "any case": KeyType(partial(char, db_collation="keys_ci"), lambda n: f"Ab{n}", "'aB1'"),
    "of German": KeyType(partial(char, db_collation="keys_de"), lambda n: f"ä{n}"),
    "object, integer": KeyType(named(models.BigAutoField), as_object(number(1))),
    "object, text": KeyType(partial(named(models.CharField), max_length=9), as_object(str)),
    "object, UUID": KeyType(named(models.UUIDField), as_object(uuid_of)),
    "object, date": KeyType(named(models.DateField), as_object(day)),
    "object, decimal": KeyType(
        partial(named(models.DecimalField), max_digits=9, decimal_places=2), as_object(Decimal)
    ),
}

#: what types need in the database; where the server cannot make it, their lines are left out
MAKES = {
    "enum": "CREATE TYPE keys_mood AS ENUM ('j', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'a')",
    "domain": "CREATE DOMAIN keys_day AS date",
    "citext": "CREATE EXTENSION IF NOT EXISTS citext",
    "any case": "CREATE COLLATION keys_ci (provider = icu, locale = 'und-u-ks-level2',"
    " deterministic = false)",
    "of German": "CREATE COLLATION keys_de (provider = icu, locale = 'de')",
}
DROPS = {
    "enum": "DROP TYPE keys_mood",
    "domain": "DROP DOMAIN keys_day",
    "citext": "DROP EXTENSION citext",
    "any case": "DROP COLLATION keys_ci",
    "of German": "DROP COLLATION keys_de",
}
