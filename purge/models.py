"""Tables of the worker: runs, alerts, archives, and the rows that a replay has found."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from purge.iceberg_tables import IcebergTable as IcebergTable
from purge.measure_tables import Throttle as Throttle
from purge.measure_tables import Total as Total
from purge.notice_tables import NoticeMail as NoticeMail
from purge.outbox_tables import Delivery as Delivery
from purge.plan_tables import Forecast as Forecast
from purge.plan_tables import Plan as Plan
from purge.plan_tables import PlanPart as PlanPart
from purge.plan_tables import Request as Request
from purge.rewrite_tables import ArchiveErasure as ArchiveErasure
from purge.rewrite_tables import Rewrite as Rewrite


class Resurrected(models.Model):
    """A row that a replay has found although the ledger says that it ended; gone with the replay.

    `updates` names the policy where the ending has changed the row instead of taking it. `spared`,
    `written` and `ended` are the last events of its key that restored it, wrote it, and ended it.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.BigIntegerField()
    model = models.CharField(max_length=200)
    key = models.TextField()
    updates = models.CharField(max_length=40, blank=True)
    event = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    policy = models.CharField(max_length=40, blank=True)
    recorded_at = models.DateTimeField()
    names = models.TextField(blank=True, help_text="the fields of the event's identities")
    same = models.BooleanField(null=True, help_text="whether it has the identity that ended")
    identity = models.BinaryField(null=True)
    proven = models.BooleanField(
        default=False, help_text="by its key alone: it was there when the backup was made"
    )
    spared = models.BigIntegerField(null=True)
    written = models.BigIntegerField(null=True)
    ended = models.BigIntegerField(null=True)

    class Meta:
        db_table = "purge_resurrected"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                "run", "model", "key", "updates", name="purge_resurrected_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model}:{self.key}"


class Run(models.Model):
    """One pass over what was due of one policy. Counts are of rows."""

    policy = models.CharField(_("policy"), max_length=40)
    started_at = models.DateTimeField(
        _("started at"),
    )
    finished_at = models.DateTimeField(_("finished at"), null=True)
    last_batch_at = models.DateTimeField(
        _("last batch at"), help_text=_("a run that is silent for long was interrupted")
    )
    origin = models.CharField(
        _("origin"), max_length=40, help_text=_("worker, or the command that was run")
    )
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    batches = models.BigIntegerField(_("batches"), default=0)
    tombstoned = models.BigIntegerField(_("tombstoned"), default=0)
    purged = models.BigIntegerField(_("purged"), default=0)
    updated = models.BigIntegerField(_("updated"), default=0)
    kept = models.BigIntegerField(_("kept"), default=0)
    held = models.BigIntegerField(_("held"), default=0)
    blocked = models.BigIntegerField(_("blocked"), default=0)
    locked = models.BigIntegerField(_("locked"), default=0)
    error = models.TextField(
        _("error"), blank=True, help_text=_("the kind of error, never its values")
    )

    class Meta:
        verbose_name_plural = _("runs")
        verbose_name = _("run")
        db_table = "purge_run"
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("policy", "-started_at"), name="purge_run_policy"),
            models.Index("id", condition=models.Q(finished_at=None), name="purge_run_open"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.policy}"


class Alert(models.Model):
    """One trouble that people are told of once, from when it is seen until it is over.

    A worker claims it by locking the row. It goes when the trouble is over and people know.
    """

    class Kind(models.TextChoices):
        HALTED = "halted", "halted"
        BLOCKED = "blocked", "blocked"
        CAPTURE_FAILED = "capture_failed", "capture failed"
        LAGGING = "lagging", "lagging"
        HELD_DELETED = "held_deleted", "held rows deleted by the site"
        PROOF_ALARM = "proof_alarm", "the ledger is not what was published"
        OVERDUE = "overdue", "requests past their deadline"
        LOOK = "look", "the last look"  # one row: when it was, and the lock of the next

    kind = models.CharField(max_length=20, choices=Kind)
    policy = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=200, blank=True)
    cause = models.CharField(max_length=200, blank=True)
    event = models.BigIntegerField(null=True)
    count = models.BigIntegerField(default=0, help_text="rows, when it was last seen")
    summary = models.TextField(blank=True, help_text="what happened, in a few words")
    run = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    signalled_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    again_at = models.DateTimeField(help_text="nobody mails before: claimed, or the mail failed")

    class Meta:
        db_table = "purge_alert"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "policy", "model", "cause"),
                condition=models.Q(ended_at=None),
                name="purge_alert_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.policy or self.model} {self.cause}".rstrip()


class Archive(models.Model):
    """An archive on its way: from the choice of its rows until they are gone.

    The name is stored before anything is put under it, so that a retry finds what it has put.
    """

    class State(models.TextChoices):
        CHOSEN = "chosen", "chosen"  # its rows' keys are noted
        WRITTEN = "written", "written"  # its files are known, and may have been put
        VERIFIED = "verified", "verified"  # read back and matched: its rows may go
        LEFT = "left", "left"  # the same; some row of it could not go
        DONE = "done", "done"

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    run = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.CHOSEN)
    more = models.BooleanField(default=False, help_text="the choice ended before all that was due")
    mark = models.UUIDField(default=uuid.uuid4, help_text="how its own objects are known")
    prefix = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=300, blank=True, help_text="the folder or bucket")
    made_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    manifest = models.TextField(blank=True, help_text="as it stands beside the files")
    commit = models.TextField(blank=True, help_text="what is put to show its rows in a table")
    snapshot = models.BigIntegerField(null=True, help_text="the table's that shows its rows")
    verified_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, help_text="how often in a row it did not work")
    again_at = models.DateTimeField(null=True, help_text="nobody tries before")
    error = models.TextField(blank=True, help_text="why it did not work, never a value")

    class Meta:
        db_table = "purge_archive"
        default_permissions = ("view",)
        indexes = (models.Index(fields=("policy", "state"), name="purge_archive_policy"),)

    def __str__(self) -> str:
        return self.name or f"{self.policy} {self.pk}"


class TransactionField(models.Field):
    """The number of a transaction as PostgreSQL has it in `xmin`: 32 bits, which come again."""

    def db_type(self, connection: object) -> str:
        return "xid"


class ArchivePart(models.Model):
    """At most ten thousand rows of an archive: their keys, and what tells each as it was written.

    A row is known by its version, the transaction that wrote it; or, where that could be taken for
    another, by a hash of its values. `epoch` and `since` say for how long versions can be believed
    (`purge.archive.table`). `low` and `high` are the least and the greatest key: integers by their
    value, others as text, byte by byte. Gone when the archive is done.
    """

    id = models.BigAutoField(primary_key=True)
    archive = models.ForeignKey(Archive, models.CASCADE, related_name="parts")
    number = models.IntegerField()
    keys = ArrayField(models.TextField())
    versions = ArrayField(TransactionField(), null=True)
    hashes = ArrayField(models.BinaryField(), null=True)
    epoch = models.TextField(blank=True)
    since = models.BigIntegerField(null=True)
    low = models.TextField(db_collation="C")
    high = models.TextField(db_collation="C")

    class Meta:
        db_table = "purge_archive_part"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("archive", "number"), name="purge_archive_part_once"),
        )

    def __str__(self) -> str:
        return f"{self.archive_id} {self.number}"
