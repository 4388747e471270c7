"""What a mail and its page say of an end, in the language and the time zone of who reads it."""

from contextlib import ExitStack
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import check_for_language

from lifecycle.conf import conf
from lifecycle.policy.policy import Policy


def shown_in(seen: ExitStack, language: str, time_zone: str) -> tzinfo:
    """Until the stack is closed, in a language; and the time zone of dates. What is unknown is the
    site's own."""
    known = language if language and check_for_language(language) else settings.LANGUAGE_CODE
    seen.enter_context(translation.override(known))
    try:
        zone: tzinfo = ZoneInfo(time_zone) if time_zone else timezone.get_default_timezone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = timezone.get_default_timezone()
    seen.enter_context(timezone.override(zone))
    return zone


def in_words(policy: Policy, ends: datetime, zone: tzinfo) -> dict[str, Any]:
    """The context of the templates: `ends` and its `date`, what ends, whether it is deleted."""
    own: Any = policy.model._meta
    here = ends.astimezone(zone)
    return {
        "ends": here, "date": date_format(here, "DATE_FORMAT"), "policy": policy.name,
        "what": str(own.verbose_name), "deletes": policy.disposition.hides,
        "site": urlsplit(conf.NOTICE_URL).netloc,
    }  # fmt: skip
