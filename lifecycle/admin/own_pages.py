"""Pages with forms of our own: what each of them is, whichever app has it."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, router, transaction
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from lifecycle.admin.row_actions import in_the_future
from lifecycle.db.connection import DENIED, sqlstate
from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError
from lifecycle.management.targets import duration
from lifecycle.phrases import phrase, word

LONGEST = timedelta(days=36_525)  # a century: no date is too early or too late for the database
ROLE = phrase(
    "the database's role of this process may not do that. Whose process may, says the guide"
    ' "Run with three roles".'
)


def own_page(view: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is a page: what it is sent stands in no report of an error, and what it does is
    done in transactions of its own, also under `ATOMIC_REQUESTS`.
    """

    @wraps(view)
    def shown(model_admin: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        made = sensitive_post_parameters()(partial(view, model_admin))
        return made(request, *args, **kwargs)

    for alias in settings.DATABASES:
        transaction.non_atomic_requests(alias)(shown)
    return shown


class SpanField(forms.CharField):
    """A span of time as the commands take it; None where nothing was written."""

    def clean(self, value: Any) -> timedelta | None:
        """`0`, `12h`, `7d`."""
        text = str(super().clean(value))
        try:
            span = duration(text) if text else None
        except (ArgumentTypeError, OverflowError):
            raise forms.ValidationError(gettext("Write 0, 90s, 30m, 12h or 7d.")) from None
        if span and span > LONGEST:
            text = ngettext("At most %(days)s day.", "At most %(days)s days.", LONGEST.days)
            raise forms.ValidationError(text, params={"days": LONGEST.days})
        return span


@contextmanager
def as_role() -> Iterator[None]:
    """What the database's role of this process may not do is refused, as a `LifecycleError`."""
    try:
        yield
    except DatabaseError as error:
        if sqlstate(error) != DENIED:
            raise
        raise LifecycleError(ROLE) from None


def moment_field(help_text: Any, required: bool = False, label: Any = None) -> forms.DateTimeField:
    """A moment to come, in the site's time zone."""
    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        required=required,
        widget=widget,
        validators=[in_the_future],
        help_text=help_text,
        label=label,
    )


def refuse_elsewhere(model_admin: Any, model: Any) -> None:
    """Raise `LifecycleError` for a model of another database than the one that these lists show:
    a page of theirs would be about what has the same number here."""
    using = home(model)
    if using != router.db_for_write(model_admin.model):
        raise LifecycleError(
            phrase(
                "%(model)s is in the database %(database)s, which these pages do not show:"
                " the commands of `lifecycle` do it, with `--database %(using)s`.",
                model=model._meta.label,
                database=repr(using),
                using=using,
            )
        )


def viewed_object(model_admin: Any, request: HttpRequest, object_id: str) -> Any:
    """What a page is about; 403 where the user may not view it, 404 where it is not there."""
    found = model_admin.get_object(request, object_id)
    if not model_admin.has_view_permission(request, found):
        raise PermissionDenied
    if found is None:
        raise Http404
    return found


def refuse_sent(made: type[Model], once: UUID, using: str) -> None:
    """Refuse a form, by its number, that has made something: by going back, or from a log of what
    was sent."""
    found = made._default_manager.using(using).filter(once=once).first()
    if found is not None:
        about = {"name": word(str(made._meta.model_name)), "number": found.pk}
        raise LifecycleError(
            phrase("This form was sent before: it has made %(name)s %(number)s.", **about)
        )


def address(site: AdminSite, name: str, *arguments: Any) -> str:
    """Of a page of this admin site."""
    return reverse(f"admin:{name}", args=arguments, current_app=site.name)


def shown_by(
    model_admin: Any, request: HttpRequest, template: str, title: str, **values: Any
) -> TemplateResponse:
    """A template of ours under the admin's head, with its title."""
    request.current_app = model_admin.admin_site.name
    context = model_admin.admin_site.each_context(request)
    context |= {"opts": model_admin.opts, "title": title}
    return TemplateResponse(request, template, context | values)


def why_not(request: HttpRequest, *permissions: str) -> str:
    """Which of the permissions the user lacks, as a sentence; '' where none."""
    missing = [each for each in permissions if not request.user.has_perm(each)]
    return _needs(missing) if missing else ""


def _needs(missing: list[str]) -> str:
    *others, last = missing
    if not others:
        return gettext("Needs the permission %(permission)s.") % {"permission": last}
    about = {"others": ", ".join(others), "last": last}
    return gettext("Needs the permission %(others)s and %(last)s.") % about
