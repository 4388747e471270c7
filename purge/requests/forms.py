"""The forms of requests in the admin: opening one, and saying why."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.own_pages import SpanField
from lifecycle.policy.registry import all_policies
from purge.erasure.refusals import LONGEST_REFERENCE

REASON = 500  # characters


def in_the_past(received: datetime) -> None:
    """Refuse a date to come: nothing was received then."""
    if received > timezone.now():
        raise ValidationError(_("This date is yet to come."))


class AskForm(forms.Form):
    """Whose row, under which reference, since when."""

    row = forms.CharField(
        label=_("Row"),
        max_length=500,
        help_text=_("as app.Model:pk"),
        widget=forms.TextInput({"size": 50}),
    )
    reference = forms.CharField(
        label=_("Reference"),
        max_length=LONGEST_REFERENCE,
        help_text=_(
            "the number of the request; it stays in the ledger for good: no name, no address"
        ),
    )
    received = forms.DateTimeField(
        label=_("Received"),
        required=False,
        validators=[in_the_past],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("in the site's time zone; or empty: now. The deadline counts from it"),
    )
    grace = SpanField(
        label=_("Grace"),
        required=False,
        max_length=40,
        help_text=_("0, 12h, 7d; or empty: that of the policy"),
    )
    policy = forms.ChoiceField(
        label=_("Policy"), required=False, help_text=_("where the model has several for requests")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(each.name for each in all_policies() if each.on_request)
        field: Any = self.fields["policy"]
        field.choices = [("", gettext("the only one")), *zip(names, names, strict=True)]


class ReasonForm(forms.Form):
    """What the person was told."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON,
        help_text=_("what the person is told"),
        widget=forms.TextInput({"size": 60}),
    )


class ExportForm(forms.Form):
    """Whether the files are put in, or listed by name."""

    put_in = forms.BooleanField(required=False, label=_("Put the files in"))
