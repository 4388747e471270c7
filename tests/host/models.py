"""What the host site keeps."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from lifecycle import LifecycleQuerySetMixin


class NoteQuerySet(LifecycleQuerySetMixin, models.QuerySet):
    """A queryset with `live()` and `tombstoned()`."""


class Note(models.Model):
    """A draft ends a day after it was written."""

    text = models.CharField(max_length=100)
    draft = models.BooleanField(default=True)
    written_at = models.DateTimeField(default=timezone.now)

    objects = NoteQuerySet.as_manager()


class Visit(models.Model):
    """Kept for an hour; recorded by signals."""

    seen_at = models.DateTimeField(default=timezone.now)


DAY, WEEK, HOUR = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
