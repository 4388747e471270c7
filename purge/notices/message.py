"""One mail that warns of an end: to whom, in which words."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils.translation import get_language

from lifecycle.notices.links import Link, address
from lifecycle.notices.words import in_words, shown_in
from lifecycle.policy.policy import Policy
from purge.notices.wanted import Wanted

FOLDER = "lifecycle/notice"


def recipient(policy: Policy, row: Any) -> str:
    """The address of a row; '' where it has none that a mail can go to."""
    notice: Any = policy.notice
    found = str(_of_row(notice.to, row) or "").strip()
    try:
        validate_email(found)
    except ValidationError:
        return ""
    return found


def message(
    policy: Policy, row: Any, key: str, using: str, wanted: Wanted, until: datetime, to: str
) -> EmailMultiAlternatives:
    """The mail, as text and as HTML. The site's own templates come first, those named after the
    policy before the others."""
    notice: Any = policy.notice
    language = str(_of_row(notice.language, row) or "")
    time_zone = str(_of_row(notice.time_zone, row) or "")
    with ExitStack() as seen:
        zone = shown_in(seen, language, time_zone)
        said = in_words(policy, until, zone) | {"row": row, "language": get_language()}
        said |= {"number": wanted.number, "of": wanted.of, "link": ""}
        if notice.keep is not None:
            link = Link(policy.name, key, using, wanted.ends, until, language, time_zone)
            said["link"] = address(link)
        subject = " ".join(_rendered(policy, "subject.txt", said).split())
        text = _rendered(policy, "mail.txt", said)
        page = _rendered(policy, "mail.html", said | {"subject": subject})
    headers = {"Auto-Submitted": "auto-generated"}  # no answer of a machine, such as an absence
    mail = EmailMultiAlternatives(subject, text, notice.sender, [to], headers=headers)
    mail.attach_alternative(page, "text/html")
    return mail


def _rendered(policy: Policy, name: str, said: dict[str, Any]) -> str:
    return render_to_string([f"{FOLDER}/{policy.name}/{name}", f"{FOLDER}/{name}"], said)


def _of_row(asked: str | Callable[[Any], Any] | None, row: Any) -> Any:
    """What a field, also over relations, or a function says of a row; None where there is none."""
    if asked is None:
        return None
    if callable(asked):
        return asked(row)
    found: Any = row
    for name in asked.split("__"):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found
