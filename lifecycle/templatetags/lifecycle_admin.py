"""What the templates of the admin ask for."""

import re
from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

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
    """A moment in the site's time zone; a dash for none."""
    return f"{localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else "-"


@register.filter
def sentence(text: str) -> SafeString:
    """With a capital and a full stop, and what people type as code; all else is escaped."""
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
    return (f"{days} d " if days else "") + f"{hours}:{minutes:02}:{rest:02}"
