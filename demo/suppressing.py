"""Addresses that bounced or complained, as the webhook of the mail service reports them.

django-anymail makes one signal of what each service sends. Which bounces are hard it does not say,
so that is read from the service's own words; what nobody calls permanent may pass, and is soft.
"""

import re
from datetime import datetime
from typing import Any

from anymail.signals import tracking
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from .models import EmailSuppression

Kind = EmailSuppression.Kind
WORSE = (Kind.SOFT, Kind.HARD, Kind.COMPLAINT)  # an address only gets worse
PERMANENT = {"permanent", "hardbounce", "hard"}
#: an SMTP code or an enhanced one (RFC 3463) of a failure that stays; a full mailbox may pass
LASTING = re.compile(r"\b5\.(?!2\.2\b)\d{1,3}\.\d{1,3}\b|^\s*55[0134]\b(?!.*\b5\.2\.2\b)")


@receiver(tracking, dispatch_uid="demo.suppressing")
def suppress(event: Any, **kwargs: Any) -> None:
    """Remember a bounce or a complaint; anything else is left."""
    kind = kind_of(event)
    if kind is not None and event.recipient:
        reason = event.description or event.reject_reason or event.event_type
        remember(event.recipient, kind, str(reason), event.timestamp or timezone.now())


def kind_of(event: Any) -> str | None:
    """Soft, hard, complaint; None for what suppresses nothing."""
    if event.event_type == "complained" or event.reject_reason == "spam":
        return Kind.COMPLAINT
    if event.event_type not in ("bounced", "rejected"):
        return None
    if event.reject_reason == "invalid" or PERMANENT & _words(event.esp_event):
        return Kind.HARD
    return Kind.HARD if LASTING.search(event.mta_response or "") else Kind.SOFT


@transaction.atomic
def remember(address: str, kind: str, reason: str, at: datetime) -> EmailSuppression:
    """Add to what is known of the address; one more bounce makes it active again.

    Webhooks come late, twice and in any order: an older one only counts.
    """
    first = {"kind": kind, "reason": reason[:200], "first_bounce_at": at, "last_bounce_at": at}
    known, is_new = EmailSuppression.objects.select_for_update().get_or_create(
        address=address.lower(), defaults=first
    )
    if is_new:
        return known
    known.count += 1
    known.kind = max(known.kind, kind, key=WORSE.index)
    known.first_bounce_at = min(known.first_bounce_at, at)
    if at > known.last_bounce_at:
        known.last_bounce_at, known.reason = at, reason[:200]
        known.active, known.deactivated_at = True, None
    known.save()
    return known


def _words(payload: Any) -> set[str]:
    """What the service itself calls it: Amazon SES, Postmark, Mailgun."""
    payload = payload if isinstance(payload, dict) else {}
    inner = [part for part in map(payload.get, ("bounce", "event-data")) if isinstance(part, dict)]
    found = [part.get(name) for part in inner for name in ("bounceType", "severity")]
    found.append(payload.get("Type"))
    return {str(word).lower() for word in found if word}
