"""The same table several times: without a policy, and with each kind that is measured."""

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now


class Row(models.Model):
    label = models.CharField(max_length=50, default="a label")
    active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Plain(Row):
    """No policy, no trigger."""


class Tracked(Row):
    """Ends without a grace."""


class Indexed(Row):
    """No policy, and an index on the column that windows go by."""

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="bench_indexed_at"),)


class Month(models.Model):
    """Partitioned by its time; `tests.bench.partitions` makes the table."""

    created = models.DateTimeField()
    label = models.CharField(max_length=50, default="a label")

    class Meta:
        managed = False
        db_table = "bench_month"


class Windowed(Row):
    """Ends by the day."""

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="bench_windowed_at"),)


class Stamped(Row):
    """Has an identity: each row that ends is hashed."""

    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())


class PlainKeyed(Row):
    """No policy, and a UUID key."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID())


class Keyed(Row):
    """The same with a policy: each row that ends is hashed whole."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID())


class KeyAlone(Row):
    """The same, but its policy says that the key is identity enough."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID())


class Graced(Row):
    """Is tombstoned first."""


class Kept(Row):
    """Stays while a keeper names it."""


class Keeper(models.Model):
    """Not a foreign key, so that Django deletes the rows it names in one statement."""

    row = models.BigIntegerField(db_index=True)


class Parent(Row):
    """Goes by Django's collector, for it has children."""


class Child(models.Model):
    parent = models.ForeignKey(Parent, models.CASCADE)


class PlainParent(Row):
    """The same without a policy."""


class PlainChild(models.Model):
    parent = models.ForeignKey(PlainParent, models.CASCADE)


class Logged(models.Model):
    """What sites log of each action; leaves for archives."""

    created_at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    target = models.CharField(max_length=200)
    ip = models.GenericIPAddressField(null=True)
    detail = models.JSONField(default=dict)


class Order(models.Model):
    """A row as sites have them: 8 columns, 3 indexes with the key's."""

    customer_id = models.BigIntegerField(db_index=True)
    number = models.CharField(max_length=30)
    status = models.CharField(max_length=20, default="draft")
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    note = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    expires_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        abstract = True


class PlainOrder(Order):
    """No policy."""


class TrackedOrder(Order):
    """Ends by two of its columns."""
