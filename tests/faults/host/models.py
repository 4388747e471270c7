"""Three kinds of rows: plain ones, with a file and a grace, and such that are archived."""

from django.db import models


class Ending(models.Model):
    """A row with an end, and a stamp that tells it from a later one."""

    made_at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=40)
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True


class Note(Ending):
    """Goes when it is due."""


class Photo(Ending):
    """Has a file, and a grace."""

    image = models.FileField()


class Line(Ending):
    """Is archived before it goes."""
