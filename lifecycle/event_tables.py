"""The ledger: what has happened, and by which rows an event is found."""

from typing import Any

from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField
from django.db import connections, models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from lifecycle.details import readable
from lifecycle.phrases import translated, word


class Kind(models.TextChoices):
    """What an event says happened."""

    EXPIRY_SCHEDULED = "expiry_scheduled", _("expiry scheduled")
    TOMBSTONED = "tombstoned", _("tombstoned")
    KEPT = "kept", _("kept")
    RESTORED = "restored", _("restored")
    EXPIRED_BY_HAND = "expired_by_hand", _("expired by hand")
    HOLD_PLACED = "hold_placed", _("hold placed")
    HOLD_RELEASED = "hold_released", _("hold released")
    UPDATED = "updated", _("updated")
    ARCHIVED = "archived", _("archived")
    LOADED = "loaded", _("loaded")
    PURGED = "purged", _("purged")
    DELETED = "deleted", _("deleted")
    TRUNCATED = "truncated", _("truncated")
    MEDIA_ORPHANED = "media_orphaned", _("media orphaned")
    MEDIA_PURGED = "media_purged", _("media purged")
    BLOCKED = "blocked", _("blocked")
    CAPTURE_FAILED = "capture_failed", _("capture failed")
    HALTED = "halted", _("halted")
    RESUMED = "resumed", _("resumed")
    POLICY_CHANGED = "policy_changed", _("policy changed")
    SETTLED = "settled", _("settled")
    LOG_BEGUN = "log_begun", _("log begun")
    LOG_RECOVERED = "log_recovered", _("log recovered")
    PRUNED = "pruned", _("pruned")
    PLANNED = "planned", _("planned")
    REQUESTED = "requested", _("requested")
    EXPORTED = "exported", _("exported")
    NOTICED = "noticed", _("noticed")
    ARCHIVE_ERASED = "archive_erased", _("archive erased")
    ARCHIVE_LOST = "archive_lost", _("archive declared lost")


# Endings, and what says that a row is back on purpose: what replay reads of a table.
REPLAYED = ("archived", "deleted", "loaded", "purged", "restored", "truncated", "updated")

# Few, and looked for among all events: by the watch over troubles, and by `status`.
WATCHED = (
    *("blocked", "capture_failed", "hold_released", "kept"),
    *("noticed", "policy_changed", "resumed"),
)


# As few, and read by their numbers.
FEW = (
    *("archive_erased", "archive_lost", "archived", "media_orphaned", "media_purged"),
    *("planned", "pruned", "requested", "truncated"),
)


class Event(models.Model):
    """One line of the ledger: what happened to a set of rows. Append-only.

    The set stands in the column of the key's type, contiguous integers in `subjects_range`; when
    all four are NULL the event is about the same set as the event that `basis` names. `identities`
    has eight bytes for each key of an ending, in the order of the keys (see `identity`).
    """

    id = models.BigAutoField(_("id"), primary_key=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    policy = models.CharField(_("policy"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    subjects_bigint = ArrayField(models.BigIntegerField(), null=True, editable=False)
    subjects_uuid = ArrayField(models.UUIDField(), null=True, editable=False)
    subjects_text = ArrayField(models.TextField(), null=True, editable=False)
    subjects_range = BigIntegerRangeField(null=True, editable=False)
    count = models.BigIntegerField(_("count"), default=0)
    basis = models.BigIntegerField(_("basis"), null=True, editable=False)
    due_at = models.DateTimeField(_("due at"), null=True)
    recorded_at = models.DateTimeField(
        _("recorded at"),
    )
    cause = models.CharField(_("cause"), max_length=100, blank=True)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    run = models.BigIntegerField(_("run"), null=True)
    settled = ArrayField(
        models.BigIntegerField(), null=True, editable=False, verbose_name=_("settled")
    )
    detail = models.JSONField(_("detail"), default=dict)
    identities = models.BinaryField(null=True, editable=False)

    class Meta:
        verbose_name_plural = _("events")
        verbose_name = _("event")
        db_table = "lifecycle_event"
        default_permissions = ("view",)
        indexes = (
            models.Index(
                "policy",
                "id",
                condition=Q(detail__has_key="again") | Q(detail__has_key="late"),
                name="lc_event_again",
            ),
            models.Index(
                "model",
                "id",
                condition=Q(kind__in=REPLAYED),
                name="lc_event_ended",
            ),
            models.Index(
                "kind",
                "recorded_at",
                condition=Q(kind__in=WATCHED),
                name="lc_event_watch",
            ),
            models.Index(
                "kind",
                "id",
                condition=Q(kind__in=FEW),
                name="lc_event_few",
            ),
            models.Index("model", "id", condition=Q(detail__has_key="held"), name="lc_event_held"),
            models.Index("actor", "id", condition=~Q(actor=""), name="lc_event_actor"),
            models.Index("run", "id", condition=Q(run__isnull=False), name="lc_event_run"),
            models.Index(
                KT("detail__request"),
                condition=Q(kind="requested", detail__has_key="request"),
                name="lc_event_request",
            ),
            models.Index(
                KT("detail__reference"),
                condition=Q(detail__has_key="reference"),
                name="lc_event_reference",
            ),
        )

    def __str__(self) -> str:
        kind = translated(word(self.kind))
        return f"{self.pk} {kind} {self.policy or self.model} ({self.count})"

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> "Event":
        """Only a superuser can write a detail that is none; whoever reads it goes on."""
        event = super().from_db(*args, **kwargs)
        if "detail" in event.__dict__:
            event.detail = readable(event.detail)
        return event

    @property
    def subjects(self) -> list[str]:
        """The keys of the set as text, also where they stand in the event's basis."""
        with connections[self._state.db or "default"].cursor() as cursor:
            cursor.execute("SELECT lifecycle.keys_v1(%s)", [self.pk])
            return [key for (key,) in cursor.fetchall()]


class Segment(models.Model):
    """Projection: which keys the events of a piece of the ledger cannot be about, for one model.

    Made by the worker, away from the writes: see `lifecycle.ledger.segments`. A line without a
    model says that the piece is covered; a model that has none then has no event there.
    """

    first = models.BigIntegerField()
    last = models.BigIntegerField()
    model = models.CharField(max_length=200, blank=True)
    bases = ArrayField(models.BigIntegerField(), null=True)
    lows = ArrayField(models.BigIntegerField(), null=True)
    highs = ArrayField(models.BigIntegerField(), null=True)
    filter = models.BinaryField(null=True)
    days: Any = models.JSONField(
        null=True, help_text="of a line without a model: rows ended, by day"
    )

    class Meta:
        db_table = "lifecycle_segment"
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("model", "first"), name="lc_segment_first"),)

    def __str__(self) -> str:
        return f"{self.first}-{self.last} {self.model}"
