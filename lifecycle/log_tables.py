"""The sealed log of the ledger."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


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
