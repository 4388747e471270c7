"""What can be done with a request in the admin: which steps there are, who may take which now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lifecycle.admin.own_pages import why_not
from lifecycle.ledger.context import context
from lifecycle.ledger.row_names import model_of
from purge.models import Request
from purge.requests.forms import ExportForm, ReasonForm


@dataclass(frozen=True)
class Step:
    """One button: its permission, its form, what stands above it, its name, the title of its page,
    and what is said when it is done.
    """

    permission: str
    form: Any
    explained: Any
    name: Any
    title: Any
    done: Any


STEPS = {
    "try": Step(
        "purge.add_request", forms.Form,
        _("The erasure is tried now, also where the row was restored since. It ends a person's"
          " row."),
        _("Try again"), _("Try request %(number)s"), _("Request %(number)s: try is recorded."),
    ),
    "extend": Step(
        "purge.extend_request", ReasonForm,
        _("90 days in all, or the law's three months, once. The person is told why."),
        _("Extend"), _("Extend request %(number)s"), _("Request %(number)s: extend is recorded."),
    ),
    "answer": Step(
        "purge.answer_request", ReasonForm,
        _("The request is closed without an erasure. The person is told why."),
        _("Answer"), _("Answer request %(number)s"), _("Request %(number)s: answer is recorded."),
    ),
    "export": Step(
        "purge.export_subject", ExportForm,
        _("All that the site has of this person, as a zip: rows that an erasure would concern. Look"
          " at it before you send it: they may be about others too."),
        _("Export"), _("Export request %(number)s"), _("Request %(number)s: export is recorded."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Offered:
    """A step as the page shows it: why it cannot be taken, '' where it can."""

    name: str
    why_not: str

    @property
    def says(self) -> str:
        """What is on the button."""
        return str(STEPS[self.name].name)


def offered(request: HttpRequest, found: Request, is_there: bool) -> list[Offered]:
    """Every step, for this user and this request as it stands."""
    return [Offered(name, _why_not(request, found, name, is_there)) for name in STEPS]


def _why_not(request: HttpRequest, found: Request, name: str, is_there: bool) -> str:
    if why := why_not(request, STEPS[name].permission):
        return why
    if name == "export":
        return "" if is_there else gettext("The row is not in the database.")
    if found.done_at:
        return gettext("The request is closed.")
    if name == "extend" and found.extended_at:
        return gettext("It was extended before: that is done once.")
    return ""


def said_by(
    act: Callable[..., Request], found: Request, reason: str, actor: str, using: str
) -> Request:
    """Extend or answer it, by a user, with the cause `admin`."""
    with context(actor=actor, cause="admin", using=using):
        return act(found.pk, reason, actor=actor, using=using)


def model_in_code(found: Request) -> Any:
    """Its model; `LifecycleError` where the code has it no longer."""
    return model_of(found.model)
