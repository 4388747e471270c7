"""The table of what was purged and whom it is to be told: the outbox."""

import uuid

from django.db import models


class Delivery(models.Model):
    """What a subscriber has not answered: the rows of one event. Gone when it has.

    `due_at` is when it is told next, `sent_at` when it was told and is to answer later. `error` is
    the kind of the last one. The keys of the rows are in the ledger's event.
    """

    id = models.BigAutoField(primary_key=True)
    subscriber = models.CharField(max_length=40)
    event = models.BigIntegerField()
    model = models.CharField(max_length=200)
    policy = models.CharField(max_length=40, blank=True)
    rows = models.BigIntegerField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    error = models.TextField(blank=True, help_text="the kind of error, never its values")

    class Meta:
        db_table = "purge_delivery"
        default_permissions = ()
        indexes = (
            models.Index(fields=("due_at",), name="purge_delivery_due"),
            models.Index(fields=("made_at",), name="purge_delivery_made"),
        )
        constraints = (
            models.UniqueConstraint(fields=("subscriber", "event"), name="purge_delivery_once"),
        )

    def __str__(self) -> str:
        return f"{self.subscriber} {self.event}"
