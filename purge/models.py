"""What the worker did: one row a pass that found something."""

from django.db import models


class Run(models.Model):
    """One pass over what was due of one policy. Counts are of rows."""

    policy = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    last_batch_at = models.DateTimeField(help_text="a run that is silent for long was interrupted")
    origin = models.CharField(max_length=40, help_text="worker, or the command that was run")
    actor = models.CharField(max_length=200, blank=True)
    tombstoned = models.BigIntegerField(default=0)
    purged = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    blocked = models.BigIntegerField(default=0)
    locked = models.BigIntegerField(default=0)
    error = models.TextField(blank=True, help_text="the kind of error, never its values")

    class Meta:
        db_table = "purge_run"
        default_permissions = ("view",)
        indexes = (models.Index(fields=("policy", "-started_at"), name="purge_run_policy"),)

    def __str__(self) -> str:
        return f"{self.pk} {self.policy}"
