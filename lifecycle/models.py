"""The ledger and its projections."""

from typing import Any

from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField
from django.db import connections, models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from lifecycle.details import readable
from lifecycle.phrases import to_the_second, translated, word


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


# Endings, and what says that a row is back on purpose: what replay reads of a table.
REPLAYED = ("archived", "deleted", "loaded", "purged", "restored", "truncated", "updated")

# Few, and looked for among all events: by the watch over troubles, and by `status`.
WATCHED = (
    *("blocked", "capture_failed", "hold_released", "kept"),
    *("noticed", "policy_changed", "resumed"),
)


# As few, and read by their numbers.
FEW = ("archive_erased", "media_orphaned", "media_purged", "planned", "requested")


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
            models.Index("event", name="lc_exception_event"),
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


class SealedLog(models.Model):
    """A log of this ledger by RFC 6962: how far its events are sealed, and how far it is shipped.

    One for each incarnation; the one with the highest number is in use. `size`, `frontier` and
    `root` are those of the sealed tree, `shipped` and `checkpoint` of what the store has.
    """

    incarnation = models.IntegerField(_("incarnation"), primary_key=True)
    origin = models.CharField(_("origin"), max_length=200)
    began_at = models.DateTimeField(
        _("began at"),
    )
    size = models.BigIntegerField(_("size"), default=0)
    frontier = models.BinaryField(default=bytes, editable=False)
    last_event = models.BigIntegerField(
        _("last event"), default=0, help_text=_("none above it was seen by the sealer")
    )
    gaps: Any = models.JSONField(
        _("gaps"), default=list, help_text=_("numbers below it that may still come")
    )
    shipped = models.BigIntegerField(_("shipped"), default=0)
    shipped_at = models.DateTimeField(_("shipped at"), null=True)
    shipping = models.BigIntegerField(
        _("shipping"), null=True, help_text=_("the size that is being shipped")
    )
    edge = models.BinaryField(
        default=bytes, editable=False, help_text=_("the shipped partial tiles")
    )
    checkpoint = models.TextField(_("checkpoint"), blank=True)
    witnessed: Any = models.JSONField(
        _("witnessed"), default=dict, help_text=_("what each witness has said last")
    )
    alarm: Any = models.JSONField(_("alarm"), default=dict)
    farewell = models.CharField(
        _("farewell"), max_length=32, blank=True, help_text=_("of the worker that stopped")
    )
    recovered = models.BigIntegerField(
        _("recovered"), null=True, help_text=_("the event of its last recovery")
    )

    class Meta:
        verbose_name_plural = _("logs")
        db_table = "lifecycle_log"
        default_permissions = ("view",)
        verbose_name = _("log")

    def __str__(self) -> str:
        return f"{self.origin} ({self.size})"


class Seal(models.Model):
    """Some events of a log with consecutive indexes, from `first` on: numbers, leaves and salts.

    `leaves` has 32 bytes for each of `events`, `salts` 16; a salt of zeros is forgotten, and what
    its event commits to cannot be opened any more.
    """

    id = models.BigAutoField(primary_key=True)
    log = models.IntegerField()
    first = models.BigIntegerField()
    count = models.IntegerField()
    lowest = models.BigIntegerField(help_text="the lowest number of its events")
    highest = models.BigIntegerField()
    events = ArrayField(models.BigIntegerField(), editable=False)
    leaves = models.BinaryField(editable=False)
    salts = models.BinaryField(editable=False)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "lifecycle_seal"
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=("log", "first"), name="lc_seal_first"),)
        indexes = (models.Index("highest", "lowest", name="lc_seal_events"),)

    def __str__(self) -> str:
        return f"{self.log}: {self.first} to {self.first + self.count - 1}"
