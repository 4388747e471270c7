"""Row actions: what a person does about one row in the admin: restore, hold, release."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.readonly import refuse
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from lifecycle.ledger.holds import hold, release
from lifecycle.ledger.row_actions import restore
from lifecycle.ledger.row_names import row_of
from lifecycle.models import RowException
from lifecycle.policy.registry import policies_of


def in_the_future(until: datetime) -> None:
    """Refuse a date that has passed: it would hold nothing."""
    if until <= timezone.now():
        raise ValidationError(_("This date has passed."))


class UntilForm(forms.Form):
    """A date, or for ever."""

    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        validators=[in_the_future],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("in the site's time zone; or empty: for ever"),
    )

    def __init__(self, row: Model, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row


class HoldForm(UntilForm):
    """Why, and until when."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.TextInput({"size": 60})
    )
    reference = forms.CharField(
        label=_("Reference"), max_length=200, required=False, help_text=_("a ticket, a file number")
    )
    field_order = ("reason", "reference", "until")


class RestoreForm(UntilForm):
    """For which policy, and until when."""

    policy = forms.ChoiceField(label=_("Policy"), required=False)
    field_order = ("policy", "until")

    def __init__(self, row: Model, *args: Any, **kwargs: Any) -> None:
        super().__init__(row, *args, **kwargs)
        names = [policy.name for policy in policies_of(type(row))]
        self.fields["policy"].choices = [("", gettext("all")), *zip(names, names, strict=True)]  # type: ignore[attr-defined]


class ReleaseForm(forms.Form):
    """Nothing to fill in: the button confirms."""

    def __init__(self, row: Model, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@dataclass(frozen=True)
class RowAction:
    """One button: its permission, its form, what it does, and the words about it.

    `explained` stands above the form, `done` says that it is, `name` is on the button, `verb` says
    it of a row.
    """

    permission: str
    form: Any
    act: Callable[[Model, dict[str, Any]], Any]
    explained: Any
    done: Any
    name: Any
    verb: Any


def _restore(row: Model, values: dict[str, Any]) -> None:
    restore(row, until=values["until"], policy=values["policy"] or None)


ROW_ACTIONS = {
    "restore": RowAction(
        "lifecycle.restore_row", RestoreForm, _restore,
        _("Brings the row back to live until its due time changes, or until a date."),
        _("Restored: %(row)s."), _("Restore"), _("Restore %(row)s"),
    ),
    "hold": RowAction(
        "lifecycle.hold_row", HoldForm, lambda row, values: hold(row, **values),
        _("Nothing ends the row, whatever any policy says. Reason and reference are written into "
          "the ledger as they are, for good."),
        _("Held: %(row)s."), _("Hold"), _("Hold %(row)s"),
    ),
    "release": RowAction(
        "lifecycle.release_row", ReleaseForm, lambda row, values: release(row),
        _("Lifts every hold on this row; it falls due again where its time has come."),
        _("Released: %(row)s."), _("Release"), _("Release %(row)s"),
    ),
}  # fmt: skip


def act(
    request: HttpRequest, action: RowAction, row: Model, values: dict[str, Any], using: str
) -> None:  # fmt: skip
    """Do it, with the user as the event's actor; `LifecycleError` where it is refused."""
    with context(actor=request.user.get_username(), cause="admin", using=using):
        action.act(row, values)


@admin.action(description=_("Release the selected rows"), permissions=["release"])
def release_exceptions(page: Any, request: HttpRequest, chosen: QuerySet[RowException]) -> None:
    """Lift the holds on each row; of a hold on many rows, only the row is let go."""
    for each in chosen.filter(kind="hold"):
        try:
            _release(request, each)
        except LifecycleError as error:
            refuse(request, error)
        else:
            page.message_user(
                request, gettext("Released: %(row)s.") % {"row": each}, messages.SUCCESS
            )
    for other in chosen.exclude(kind="hold"):
        page.message_user(
            request, gettext("Left: %(row)s is no hold.") % {"row": other}, messages.ERROR
        )


def _release(request: HttpRequest, exception: RowException) -> None:
    using = str(exception._state.db)
    with context(actor=request.user.get_username(), cause="admin", using=using):
        if exception.is_on_table:
            release(exception.event_id, using=using)
        else:
            release(row_of(f"{exception.model}:{exception.key}", using), using=using)
