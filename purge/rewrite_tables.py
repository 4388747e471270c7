"""Tables of what is left to do of erasures inside archives."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ArchiveErasure(models.Model):
    """One person's rows in the archives of one policy, to be erased: gone when they are.

    Made of the event `archive_erased` that has asked for it (`event`); `erasure` is the event of
    the person's own erasure, which has the key. No value is here. `looked` are the archives that
    were read for it.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.BigIntegerField(unique=True)
    erasure = models.BigIntegerField()
    policy = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    reference = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="known once the person's row is gone")
    looked = ArrayField(models.TextField(), default=list)
    archives = models.IntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    waits_for = models.TextField(blank=True, help_text="never a value")
    tries = models.IntegerField(default=0)
    again_at = models.DateTimeField(null=True, help_text="nobody tries before")

    class Meta:
        db_table = "purge_archive_erasure"
        default_permissions = ()
        indexes = (models.Index(fields=("policy", "event"), name="purge_archive_erasure_policy"),)

    def __str__(self) -> str:
        return f"{self.event} {self.policy}"


class Rewrite(models.Model):
    """One archive on its way to another one that lacks some rows, until nothing of it is left.

    The new name is stored before anything is put under it. `old` are the objects that have to go,
    `manifest` is what the old archive was known by, its SHA-256. Gone when they are.
    """

    class State(models.TextChoices):
        MAKING = "making", "making"  # something may have been put under the new name
        SWITCHED = "switched", "switched"  # the new one counts, by an event; the old has to go

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.MAKING)
    asked = models.BigIntegerField(null=True, help_text="the event that has asked for it")
    erasure = models.BigIntegerField(null=True, help_text="the event of the person's erasure")
    reference = models.CharField(max_length=200, blank=True)
    prefix = models.CharField(max_length=200)
    place = models.CharField(max_length=300, blank=True, help_text="the folder or bucket")
    archive = models.CharField(max_length=200, help_text="the archive that has the rows")
    name = models.CharField(max_length=200, blank=True, help_text="the one without them, if any")
    mark = models.UUIDField(default=uuid.uuid4, help_text="how its own objects are known")
    manifest = models.CharField(max_length=64, blank=True)
    old = ArrayField(models.TextField(), default=list)
    commit = models.TextField(
        blank=True, default="", db_default="", help_text="what is put to show its rows in a table"
    )
    event = models.BigIntegerField(null=True, unique=True, help_text="the event of the switch")
    rows = models.BigIntegerField(default=0, help_text="that the old one has and the new one lacks")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    again_at = models.DateTimeField(null=True, help_text="nobody tries before")
    error = models.TextField(blank=True, help_text="why it is still there, never a value")

    class Meta:
        db_table = "purge_rewrite"
        default_permissions = ()
        indexes = (models.Index(fields=("policy", "state"), name="purge_rewrite_policy"),)

    def __str__(self) -> str:
        return f"{self.archive} {self.state}"
