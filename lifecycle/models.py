"""The ledger's projections, and what policies the database knows; all models of the app."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lifecycle.event_tables import FEW, REPLAYED, WATCHED, Event, Kind, Segment
from lifecycle.log_tables import Seal, SealedLog
from lifecycle.phrases import to_the_second, translated, word

__all__ = [
    "FEW", "REPLAYED", "WATCHED", "AgendaEntry", "Backfill", "Event", "Kind",
    "PolicyLock", "PolicyState", "RowException", "Seal", "SealedLog", "Segment",
]  # fmt: skip


class AgendaEntry(models.Model):
    """Projection: what falls due when, one entry per event that has a due time.

    `window_at` is the start of the window that an entry stands for; it then lists no row, and
    `count` is at least how many there are.
    """

    event = models.OneToOneField(
        Event, models.DO_NOTHING, primary_key=True, db_constraint=False, verbose_name=_("event")
    )
    policy = models.CharField(_("policy"), max_length=40)
    due_at = models.DateTimeField(
        _("due at"),
    )
    window_at = models.DateTimeField(_("window at"), null=True)
    count = models.BigIntegerField(
        _("count"),
    )
    attempts = models.IntegerField(_("attempts"), default=0)
    tombstone = models.BigIntegerField(_("tombstone"), null=True)
    tombstoned_at = models.DateTimeField(_("tombstoned at"), null=True)

    class Meta:
        verbose_name = _("agenda entry")
        db_table = "lifecycle_agenda"
        default_permissions = ("view",)
        permissions = (("retry_row", "Can have blocked rows tried again"),)
        verbose_name_plural = _("agenda")
        indexes = (
            models.Index("policy", "due_at", name="lc_agenda_due"),
            models.Index(
                "policy", "window_at", condition=Q(window_at__isnull=False), name="lc_agenda_window"
            ),
            models.Index(
                "policy", condition=Q(attempts__gt=0) | Q(count=0), name="lc_agenda_tried"
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy} {to_the_second(self.due_at)} ({self.count})"


#: of row exceptions: holds on all rows of a table, which name a policy; `record_v1` sees to it. An
#: empty key alone may be a row's.
ON_TABLE = Q(kind="hold", key="") & ~Q(policy="")


class RowException(models.Model):
    """Projection, few rows: a hold, a restore, an expiry by hand, the notice of one row.

    Of a notice `since` is the end that was told of, `until` when the row may end; NULL while a mail
    is to come. A hold that names a policy is on all rows of its table, and has no key.
    """

    KINDS = (
        ("hold", _("hold")),
        ("restored", _("restored")),
        ("expired_by_hand", _("expired by hand")),
        ("noticed", _("noticed")),
    )

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(
        Event, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("event")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=KINDS)
    policy = models.CharField(_("policy"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    key = models.TextField(
        _("key"), blank=True, db_collation="C"
    )  # compared as bytes, in any locale
    since = models.DateTimeField(
        _("since"),
    )
    until = models.DateTimeField(_("until"), null=True)
    grace = models.DurationField(
        _("grace"), null=True, help_text=_("shorter than the policy's, by hand")
    )

    class Meta:
        verbose_name_plural = _("row exceptions")
        db_table = "lifecycle_exception"
        default_permissions = ("view",)
        permissions = (
            ("restore_row", "Can restore rows"),
            ("hold_row", "Can hold rows"),
            ("release_row", "Can release held rows"),
        )
        verbose_name = _("row exception")
        indexes = (
            models.Index("policy", "kind", "key", name="lc_exception_policy"),
            models.Index("model", "kind", "key", name="lc_exception_model"),
            models.Index("event", "key", name="lc_exception_event"),
            models.Index(
                "until", condition=Q(kind="hold", until__isnull=False), name="lc_exception_until"
            ),
        )

    def __str__(self) -> str:
        key = "*" if self.is_on_table else self.key
        return f"{translated(word(self.kind))} {self.policy or self.model}:{key}"

    @property
    def is_on_table(self) -> bool:
        """Whether it is a hold on all rows of a table."""
        return self.kind == "hold" and bool(self.policy)


class PolicyState(models.Model):
    """What the database knows of a policy: its one compiled definition, its state, its brake."""

    class State(models.TextChoices):
        ENABLED = "enabled", _("enabled")  # ends rows
        OBSERVE = "observe", _("observe")  # records and reports, ends nothing
        PAUSED = "paused", _("paused")  # stopped by a person
        HALTED = "halted", _("halted")  # stopped by a brake; a named person resumes
        REMOVED = "removed", _("removed")  # no longer in the code, its triggers are gone

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    model = models.CharField(_("model"), max_length=200)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ENABLED)
    key_kind = models.CharField(_("key kind"), max_length=10)
    due_sql = models.TextField(
        _("due sql"),
    )
    state_sql = models.TextField(
        _("state sql"),
    )
    enforced = models.BooleanField(
        _("enforced"), default=False
    )  # holds stop the host's own deletes too
    spent: Any = models.JSONField(_("spent"), default=dict)
    partitioned: Any = models.JSONField(null=True, editable=False)  # of `Partitions()`
    declared_at = models.DateTimeField(
        _("declared at"),
    )

    class Meta:
        db_table = "lifecycle_policy"
        default_permissions = ("view",)
        permissions = (
            ("pause_policy", "Can pause policies"),
            ("resume_policy", "Can resume policies"),
        )
        verbose_name = _("policy")
        verbose_name_plural = _("policies")

    def __str__(self) -> str:
        return self.name


class PolicyLock(models.Model):
    """A row to lock, for each policy: see `lifecycle.db.policy_lock`. Nothing is read from it."""

    name = models.CharField(max_length=60, primary_key=True)

    class Meta:
        db_table = "lifecycle_lock"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Backfill(models.Model):
    """How far the rows of a policy that no trigger has seen are read. No projection.

    A reading goes on after `last_key`, not before `resume_at`, until `finished_at`.
    """

    class Why(models.TextChoices):
        DECLARED = "declared", "declared"  # the policy is new, or its `when` or `expires`
        RECONCILE = "reconcile", "reconcile"  # for rows that came past the triggers
        ASKED = "asked", "asked"  # by `manage.py lifecycle backfill --policy`
        FAILED = "failed", "failed"  # rows were written whose keys could not be read

    policy = models.CharField(max_length=40, primary_key=True)
    capture = models.CharField(max_length=80, help_text="what the triggers go by, as it was read")
    why = models.CharField(max_length=10, choices=Why)
    last_key = models.TextField(null=True)  # noqa: DJ001 - a key may be the empty text
    read = models.BigIntegerField(default=0)
    listed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    began_at = models.DateTimeField()
    resume_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "lifecycle_backfill"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.policy
