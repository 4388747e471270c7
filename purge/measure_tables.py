"""Tables of what workers have measured: sums of what batches have done, and pauses."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Total(models.Model):
    """What a policy's batches have done ever, summed up: a line for each that ran at once.

    Each batch adds to a line that no other has, so that none waits. The sums of a policy's lines
    never go down. `spread` has the batches by their seconds, as BOUNDS of `purge.batch.outcome`
    parts them.
    """

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=40, blank=True)
    last_batch_at = models.DateTimeField()
    batches = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    spread = ArrayField(models.BigIntegerField())
    tombstoned = models.BigIntegerField(default=0)
    purged = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    blocked = models.BigIntegerField(default=0)
    locked = models.BigIntegerField(default=0)

    class Meta:
        db_table = "purge_total"
        default_permissions = ()
        indexes = (models.Index("policy", "id", name="purge_total_policy"),)

    def __str__(self) -> str:
        return f"{self.policy} {self.batches}"


class Throttle(models.Model):
    """How a policy was slowed down for one reason, so that nobody notices its deletes.

    `measured` is in the unit of its limit in LIFECYCLE_THROTTLE; `seconds` are of all pauses ever.
    """

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    measured = models.FloatField()
    seconds = models.FloatField()
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="the end of the last pause")

    class Meta:
        db_table = "purge_throttle"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("policy", "reason"), name="purge_throttle_once"),
        )

    def __str__(self) -> str:
        return f"{self.policy} {self.reason}"
