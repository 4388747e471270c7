"""Shops that end, and everything that may refer to one."""

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models

from tests.named import Named
from tests.purge.batch.cascades.ways import NATIVE, WAYS, foreign_key


class Shop(models.Model):
    """The row that ends; no grace."""

    code = models.CharField(max_length=20, unique=True, null=True)  # noqa: DJ001 - as few have one
    expires_at = models.DateTimeField(null=True)
    remarks = GenericRelation("cascades.Remark")


class Product(models.Model):
    """Between two others, with rows of many to many."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    labels: Any = models.ManyToManyField("cascades.Label")
    remarks = GenericRelation("cascades.Remark")


class Label(models.Model):
    """Stays; what ties it to a product goes."""


class Price(models.Model):
    """The third level; its shop by the shop's code."""

    product = models.ForeignKey(Product, models.CASCADE)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, to_field="code")


class Remark(models.Model):
    """On any row; the key is text."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=40)
    about = GenericForeignKey()


class Lease(models.Model):
    """Protects a product."""

    product = models.ForeignKey(Product, models.PROTECT)


class Review(models.Model):
    """Restricts its product, unless its own shop goes too."""

    product = models.ForeignKey(Product, models.RESTRICT)
    shop = models.ForeignKey(Shop, models.CASCADE)


def nobody() -> "Clerk":
    """Who stands in for a clerk."""
    return Clerk.objects.get_or_create(name="nobody")[0]


class Clerk(models.Model):
    """Goes with the shop."""

    name = models.CharField(max_length=20)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True)


class Visit(models.Model):
    """Stays: every way to change a link instead."""

    shop = models.ForeignKey(Shop, models.SET_NULL, null=True)
    product = models.ForeignKey(Product, models.SET_DEFAULT, null=True, default=None)
    clerk = models.ForeignKey(Clerk, models.SET(nobody))


class Area(models.Model):
    """A tree or a ring inside a shop."""

    shop = models.ForeignKey(Shop, models.CASCADE, null=True)
    above = models.ForeignKey("self", models.CASCADE, null=True)


class Book(Product):
    """A row in two tables that goes along."""

    pages = models.IntegerField(default=1)


class Left(models.Model):
    """One parent."""

    left_id = models.BigAutoField(primary_key=True)


class Right(models.Model):
    """Another, with keys of its own."""

    right_id = models.BigAutoField(primary_key=True)


class Both(Left, Right):
    """Ends, in three tables; the keys of the parents differ."""

    expires_at = models.DateTimeField(null=True)


class Trade(models.Model):
    """The database alone says what becomes of it."""

    shop = models.ForeignKey(Shop, models.DO_NOTHING)


class Invoice(models.Model):
    """Has a policy that archives it while it is unpaid; else it may go along."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    open = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True)


class Husband(models.Model):
    """Two tables in a ring."""

    wife: Any = models.ForeignKey("cascades.Wife", models.CASCADE, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)


class Wife(models.Model):
    """The other one."""

    husband = models.ForeignKey(Husband, models.CASCADE, null=True, related_name="+")


def path(row: models.Model, name: str) -> str:
    """Where files are put: the name says whose they are."""
    return f"cascades/{name}"


class Top(models.Model):
    """Ends; the root of the tree that has every `on_delete`."""

    expires_at = models.DateTimeField(null=True)


class Mid(models.Model):
    """Refers to its top by every way there is, a row by one of them."""

    file = models.FileField(upload_to=path, blank=True)
    for _way in WAYS:
        locals()[_way] = foreign_key("cascades.Top", _way)


class Low(models.Model):
    """Refers to a row between in the same ways; nothing refers to it."""

    file = models.FileField(upload_to=path, blank=True)
    for _way in WAYS:
        locals()[_way] = foreign_key("cascades.Mid", _way)


class Scrap(models.Model):
    """Goes with its top by the database alone, with its file."""

    top: Any = foreign_key("cascades.Top", "db_cascade" if NATIVE else "sql_cascade")
    file = models.FileField(upload_to=path, blank=True)


class MarkField(models.CharField):
    """Gives marks, takes marks."""

    def from_db_value(self, value: Any, *args: Any) -> Named | None:
        return None if value is None else Named(value)

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Named) else Named(value)

    def get_prep_value(self, value: Any) -> Any:
        return value.value if isinstance(value, Named) else value


class Crate(models.Model):
    """Ends; its key is an object."""

    mark = MarkField(primary_key=True, max_length=20)
    above = models.ForeignKey("self", models.CASCADE, null=True)
    expires_at = models.DateTimeField(null=True)


class Parcel(models.Model):
    """Goes with its crate; its key is another."""

    mark = MarkField(primary_key=True, max_length=20)
    crate = models.ForeignKey(Crate, models.CASCADE)


class Slip(models.Model):
    """Goes with its parcel."""

    parcel = models.ForeignKey(Parcel, models.CASCADE)


class Shelf(models.Model):
    """Has a key of two columns, and goes with its crate."""

    pk = models.CompositePrimaryKey("crate_id", "number")
    crate = models.ForeignKey(Crate, models.CASCADE)
    number = models.IntegerField()
    code = models.CharField(max_length=20, unique=True)


class Item(models.Model):
    """Goes with its shelf, by the shelf's code."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, to_field="code")
