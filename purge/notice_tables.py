"""The table of mails that warn of an end and have not gone yet."""

from django.db import models


class NoticeMail(models.Model):
    """One mail about one row, until it has gone or is not wanted any more. No address is kept.

    `number` is which mail about this end, from 1; `ends` is the end that it warns of. Nobody sends
    it before `due_at`, which whoever begins moves on. `error` is the kind of the last one.
    """

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    key = models.TextField(db_collation="C")
    number = models.IntegerField()
    ends = models.DateTimeField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True, help_text="it went, and is not recorded yet")
    error = models.TextField(blank=True, help_text="the kind of error, never its values")

    class Meta:
        db_table = "purge_notice"
        default_permissions = ()
        indexes = (models.Index(fields=("due_at",), name="purge_notice_due"),)
        constraints = (models.UniqueConstraint(fields=("policy", "key"), name="purge_notice_once"),)

    def __str__(self) -> str:
        return f"{self.policy} {self.pk}"
