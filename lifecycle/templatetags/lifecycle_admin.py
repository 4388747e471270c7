"""What the templates of the admin ask for."""

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.template import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from lifecycle import phrases
from lifecycle.details import instant as read_instant

if TYPE_CHECKING:
    from lifecycle.ledger.holds import Hold

CODE = re.compile("`([^`]+)`")
register = template.Library()


@register.inclusion_tag("admin/lifecycle/page_one.html", takes_context=True)
def lifecycle_page_one(context: Context) -> dict[str, Any]:
    """Page one, for the user of the request."""
    # Django imports every library of tags, also for a site that has no admin.
    from lifecycle.admin.page_one import page_one

    return page_one(context["request"])


@register.filter
def to_the_second(moment: datetime | None) -> str:
    """A moment in the viewer's time zone and form; a dash for none."""
    return phrases.to_the_second(moment)


@register.filter
def day(moment: date | None) -> str:
    """A day in the viewer's form; a dash for none."""
    return phrases.day(moment)


@register.filter
def instant(text: Any) -> str:
    """A moment that a detail has as text, as `to_the_second`; what is none, as it is."""
    moment = read_instant(text)
    return phrases.to_the_second(moment) if moment else str(text)


@register.filter
def word(code: str) -> str:
    """A state, a kind, an act, in the viewer's language."""
    return phrases.translated(phrases.word(code or ""))


@register.filter
def said(words: Any) -> str:
    """What a phrase says in the viewer's language: for filters that would make English of it."""
    return phrases.translated(words)


@register.filter
def grouped(number: int) -> str:
    """With its thousands apart, in the viewer's form."""
    return phrases.translated(phrases.number(number))


@register.filter
def sentence(text: str) -> SafeString:
    """With a capital and a full stop, and what people type as code; all else is escaped."""
    text = phrases.translated(text)
    end = "" if text[-1:] in ".?!" else "."
    whole = conditional_escape(text[:1].upper() + text[1:] + end)
    return mark_safe(CODE.sub(r"<code>\1</code>", whole))  # noqa: S308


@register.filter
def lag(seconds: float | None) -> str:
    """Seconds as hours, minutes and seconds; a dash for none."""
    if not seconds:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = f"{hours}:{minutes:02}:{rest:02}"
    return gettext("%(days)s d %(time)s") % {"days": days, "time": time} if days else time


@register.filter
def held(hold: "Hold") -> str:
    """A hold with what is known of it, as a sentence without its full stop."""
    return about_hold(gettext("Held (hold %(number)s) since %(since)s"), hold)


@register.filter
def held_loudly(hold: "Hold") -> str:
    """The same for the head of a page."""
    return about_hold(gettext("HELD (hold %(number)s) since %(since)s"), hold)


def about_hold(text: str, hold: "Hold") -> str:
    """A text that tells a hold's number and since when, and after it what else is known of it."""
    words = [text % {"number": hold.number, "since": to_the_second(hold.since)}]
    if hold.until:
        words.append(gettext("until %(time)s") % {"time": to_the_second(hold.until)})
    if hold.actor:
        words.append(gettext("by %(actor)s") % {"actor": hold.actor})
    said = " ".join(words) + (f": {hold.reason}" if hold.reason else "")
    return f"{said} ({hold.reference})" if hold.reference else said
