"""Shops that end, and everything that may refer to one."""

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


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
