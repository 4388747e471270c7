"""A model as each package's documentation has it, with an end."""

from django.db import models
from django_cleanup import cleanup
from mptt.models import MPTTModel, TreeForeignKey
from polymorphic.models import PolymorphicModel
from reversion import register as versioned
from safedelete.config import SOFT_DELETE_CASCADE
from safedelete.models import SafeDeleteModel
from simple_history.models import HistoricalRecords
from taggit.managers import TaggableManager
from treebeard.mp_tree import MP_Node


class Ending(models.Model):
    """What a policy needs."""

    name = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Paper(Ending):
    """django-cleanup deletes its file with the row, and when it is replaced."""

    file = models.FileField(upload_to="papers", blank=True)


@cleanup.ignore
class Print(Ending):
    """A file that several rows may have: django-cleanup does not look after it."""

    file = models.FileField(upload_to="papers", blank=True)


class Album(SafeDeleteModel, Ending):
    """safedelete hides it, with its tracks."""

    _safedelete_policy = SOFT_DELETE_CASCADE


class Track(SafeDeleteModel):
    """Goes along with its album, in both ways."""

    album = models.ForeignKey(Album, models.CASCADE)


class Topic(MP_Node):
    """A tree of treebeard's: children have their parent's path before their own."""

    name = models.CharField(max_length=40)
    expires_at = models.DateTimeField(null=True)


class Branch(MPTTModel, Ending):
    """A tree of mptt's: a foreign key, and a span of numbers."""

    parent = TreeForeignKey("self", models.CASCADE, null=True, related_name="children")


class Animal(PolymorphicModel, Ending):
    """polymorphic gives each row as what it is."""


class Dog(Animal):
    """With a table of its own."""

    breed = models.CharField(max_length=40)


@versioned
class Article(Ending):
    """reversion keeps what it was."""


class Poll(Ending):
    """simple-history writes down each change."""

    history = HistoricalRecords()


class Recipe(Ending):
    """taggit refers to it by content type and number."""

    tags = TaggableManager()
