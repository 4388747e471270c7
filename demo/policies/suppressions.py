"""What becomes of an address that bounced.

A soft bounce may pass: a month after the last one the address is tried again (`active` is False),
and if nothing bounces for three more months, nothing is remembered. One more bounce begins anew.
Hard bounces and complaints stay: no policy is about them.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from demo.models import EmailSuppression
from lifecycle import Policy, Update, register

SOFT = Q(kind=EmailSuppression.Kind.SOFT)

register(
    Policy(
        "soft-bounces",
        EmailSuppression,
        when=SOFT & Q(active=True),
        expires=F("last_bounce_at") + timedelta(days=settings.DEMO_SOFT_BOUNCE_DAYS),
        disposition=Update(active=False, deactivated_at=Now()),
    ),
    Policy(
        "stale-bounces",
        EmailSuppression,
        when=SOFT & Q(active=False),
        expires=F("deactivated_at") + timedelta(days=settings.DEMO_STALE_BOUNCE_DAYS),
    ),
)
