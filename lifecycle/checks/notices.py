"""Checks of notices: to whom, how long before, and where their links lead."""

from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.mail import get_connection
from django.urls import NoReverseMatch, reverse

from lifecycle.checks.messages import error, warning
from lifecycle.conf import conf
from lifecycle.insight.words import span
from lifecycle.notices.links import VIEW
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

#: backends of Django that send nothing
NOBODY = {
    f"django.core.mail.backends.{name}" for name in ("console", "dummy", "filebased", "locmem")
}


def notice_reads_fields(policy: Policy) -> list[CheckMessage]:
    """E052: a notice names a field that is not there."""
    notice: Any = policy.notice
    if notice is None:
        return []
    hint = "Name a field of the model, also over foreign keys as `owner__email`, or a function."
    named = {name: getattr(notice, name) for name in ("to", "language", "time_zone")}
    return [
        error(52, f"Notice(): {name} names {path!r}, which is no field.", hint, policy)
        for name, path in named.items()
        if isinstance(path, str) and not _is_field(policy.model, path)
    ]


def notice_goes_by_a_column(policy: Policy) -> list[CheckMessage]:
    """E055: the column by which a notice goes is not one of the table."""
    by = policy.notice.by if policy.notice else None
    own: Any = policy.model._meta.concrete_model
    names = {name for f in own._meta.local_concrete_fields for name in (f.name, f.attname)}
    if by is None or by in names:
        return []
    text = f"Notice(): `by` names {by!r}, which is no column of the table."
    return [error(55, text, "Name a column of the model's own table.", policy)]


def notice_fits_the_period(policy: Policy) -> list[CheckMessage]:
    """E053: a mail would go before the period has begun."""
    aged = age_of(policy.expires)
    if policy.notice is None or aged is None or not aged[1]:
        return []
    longest = policy.notice.longest
    if longest < aged[1]:
        return []
    text = f"Notice() warns {span(longest)} before the end of a period of {span(aged[1])}."
    return [error(53, text, "Warn later, or have the period end later.", policy)]


def notice_has_an_address(policy: Policy) -> list[CheckMessage]:
    """E054: the links in mails lead nowhere, so that none can be sent."""
    if policy.notice is None or policy.notice.keep is None:
        return []
    if not conf.NOTICE_URL:
        text = "Notice() sends links, and LIFECYCLE_NOTICE_URL says not of which site."
        hint = 'Set LIFECYCLE_NOTICE_URL = "https://example.com", or keep=None: no link.'
        return [error(54, text, hint, policy)]
    try:
        reverse(VIEW, args=["token"])
    except (NoReverseMatch, ImproperlyConfigured, ImportError, AttributeError):
        text = "Notice() sends links, and no address of the site has their page."
        hint = 'Add path("keep/", include("lifecycle.notices.urls")) to the urls, or keep=None.'
        return [error(54, text, hint, policy)]
    return []


def check_mail(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """W051, of `check --deploy`: warnings of ends go to nobody, and rows end all the same."""
    backend = type(get_connection()).__module__
    if backend not in NOBODY or not any(policy.notice for policy in all_policies()):
        return []
    text = f"Mails that warn of the ends of rows go to {backend}, which takes them for sent."
    return [warning(51, text, "Set the mail settings of the site.")]


def _is_field(model: Any, path: str) -> bool:
    """Whether a path over relations of one row leads to a field or an attribute of a model."""
    for name in path.split("__"):
        if model is None:
            return False
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return hasattr(model, name)  # a property
        if field.one_to_many or field.many_to_many:
            return False
        model = field.related_model
    return True


NOTICES = (
    notice_reads_fields,
    notice_goes_by_a_column,
    notice_fits_the_period,
    notice_has_an_address,
)
