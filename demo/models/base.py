"""What several tables share."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from lifecycle import LifecycleQuerySetMixin


class RetainedQuerySet(LifecycleQuerySetMixin, models.QuerySet):
    """A queryset with `live()` and `tombstoned()`."""


class Made(models.Model):
    """A row that knows when it was made, by the database's clock."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RetainedQuerySet.as_manager()

    class Meta:
        abstract = True


class Retained(Made):
    """A row with a grace of its own.

    The grace is a column: 0 in production, where an expired password is worth nothing to anybody;
    the story of `manage.py demo` gives its rows a few seconds, under the same policies.
    """

    grace = models.DurationField(db_default=timedelta(0), help_text="from tombstone to purge")

    class Meta:
        abstract = True
