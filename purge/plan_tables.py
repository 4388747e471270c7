"""Tables of what people plan, and of what they are told of the future."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Plan(models.Model):
    """One act on many rows: made, maybe approved by another person, applied once.

    `asked` are the conditions with their values, for people: emptied when the plan is over. `hash`
    is of what is done to which rows; the ledger's events `made`, `approved` and `applied` name it.
    """

    class Act(models.TextChoices):
        HOLD = "hold", _("hold")
        RELEASE = "release", _("release")
        RESTORE = "restore", _("restore")
        EXTEND = "extend", _("extend")
        PURGE = "purge", _("purge now")

    class State(models.TextChoices):
        MADE = "made", _("made")
        APPLYING = "applying", _("being applied")
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.BigAutoField(_("id"), primary_key=True)
    act = models.CharField(_("act"), max_length=10, choices=Act)
    model = models.CharField(_("model"), max_length=200)
    policy = models.CharField(_("policy"), max_length=40, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True)
    asked: Any = models.JSONField(
        _("asked"), default=list, help_text=_("conditions: lookup and value")
    )
    reason = models.TextField(_("reason"), blank=True)
    reference = models.TextField(_("reference"), blank=True)
    until = models.DateTimeField(_("until"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.MADE)
    rows = models.BigIntegerField(_("rows"), default=0)
    digests = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    hash = models.CharField(_("hash"), max_length=64)
    shown: Any = models.JSONField(_("shown"), default=dict, help_text=_("what would go along"))
    maker = models.CharField(_("maker"), max_length=200)
    made_at = models.DateTimeField(
        _("made at"),
    )
    made = models.BigIntegerField(_("made"), null=True, help_text=_("the event"))
    approver = models.CharField(_("approver"), max_length=200, blank=True)
    approved = models.BigIntegerField(_("approved"), null=True, help_text=_("the event"))
    applier = models.CharField(_("applier"), max_length=200, blank=True)
    applied = models.BigIntegerField(_("applied"), null=True, help_text=_("the event"))
    done_at = models.DateTimeField(_("done at"), null=True)
    acted = models.BigIntegerField(_("acted"), default=0, help_text=_("rows"))
    left: Any = models.JSONField(_("left"), default=dict, help_text=_("rows left out, by reason"))
    once = models.UUIDField(
        null=True, unique=True, editable=False, help_text=_("the form's number")
    )

    class Meta:
        verbose_name_plural = _("plans")
        verbose_name = _("plan")
        db_table = "purge_plan"
        default_permissions = ("add", "view")
        permissions = (
            ("approve_plan", "Can approve plans"),
            ("apply_plan", "Can apply plans"),
            ("purge_row", "Can plan to purge rows now"),
        )
        indexes = (
            models.Index("id", condition=models.Q(state="applying"), name="purge_plan_applying"),
        )

    def __str__(self) -> str:
        return f"{self.pk}: {self.act} {self.rows} rows of {self.model}"


class PlanPart(models.Model):
    """At most a thousand rows of a plan: their keys, and the version that each had.

    Versions count while `epoch` is what it was, and for half of all numbers of transactions
    `since` then. What goes along was not written by a later one, nor by those that were `running`.
    `holds` are those that are released, for each row. The first `done` rows are done
    with; of them `left` names those that were left out, by reason.
    """

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="parts")
    number = models.IntegerField()
    keys = ArrayField(models.TextField())
    versions = ArrayField(models.TextField())
    holds: Any = models.JSONField(default=list)
    epoch = models.TextField()
    since = models.BigIntegerField()
    running = ArrayField(models.BigIntegerField(), default=list)
    done = models.IntegerField(default=0)
    left: Any = models.JSONField(default=dict)

    class Meta:
        db_table = "purge_plan_part"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("plan", "number"), name="purge_plan_part_once"),
        )

    def __str__(self) -> str:
        return f"{self.plan_id} {self.number}"


class Forecast(models.Model):
    """What a simulation has said, to be compared with what happens.

    `policies`: by name, what `purge.forecasts` says of each; rows by day, 0 is the day it was made.
    """

    id = models.BigAutoField(_("id"), primary_key=True)
    made_at = models.DateTimeField(
        _("made at"),
    )
    until = models.DateTimeField(
        _("until"),
    )
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    event = models.BigIntegerField(_("event"), help_text=_("the ledger's last number then"))
    policies: Any = models.JSONField(_("policies"), default=dict)
    once = models.UUIDField(
        null=True, unique=True, editable=False, help_text=_("the form's number")
    )

    class Meta:
        verbose_name_plural = _("forecasts")
        verbose_name = _("forecast")
        db_table = "purge_forecast"
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"{self.pk}: until {self.until:%Y-%m-%d}"


class Request(models.Model):
    """Projection: a request for erasure with its deadline; what became of it the receipt says.

    Its number is that of the event by which it was opened. `waits_for`: why it was refused when it
    was tried last. `answer`: closed without an erasure.
    """

    id = models.BigAutoField(_("id"), primary_key=True)
    reference = models.CharField(_("reference"), max_length=200)
    model = models.CharField(_("model"), max_length=200)
    key = models.TextField(
        _("key"),
    )
    policy = models.CharField(_("policy"), max_length=40)
    grace = models.DurationField(_("grace"), null=True)
    actor = models.CharField(_("actor"), max_length=200)
    received_at = models.DateTimeField(
        _("received at"),
    )
    due_at = models.DateTimeField(
        _("due at"),
    )
    extended_at = models.DateTimeField(_("extended at"), null=True)
    extension = models.TextField(
        _("extension"), blank=True, help_text=_("why the deadline was extended")
    )
    event = models.BigIntegerField(_("event"), default=0, help_text=_("by which it was opened"))
    waits_for = models.TextField(_("waits for"), blank=True)
    tries = models.IntegerField(_("tries"), default=0)
    tried_at = models.DateTimeField(_("tried at"), null=True)
    again_at = models.DateTimeField(_("again at"), null=True)
    done_at = models.DateTimeField(_("done at"), null=True)
    answer = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name_plural = _("requests")
        verbose_name = _("request")
        db_table = "purge_request"
        default_permissions = ("add", "view")
        permissions = (
            ("extend_request", "Can extend the deadline of requests"),
            ("answer_request", "Can answer requests without an erasure"),
            ("export_subject", "Can export what the site has of a person"),
        )
        constraints = (
            models.UniqueConstraint("reference", "model", "key", name="purge_request_once"),
        )
        indexes = (
            models.Index("due_at", condition=models.Q(done_at=None), name="purge_request_open"),
        )

    def __str__(self) -> str:
        return f"{self.reference}: {self.model}:{self.key}"
