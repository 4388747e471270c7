"""When registrations and one-time passwords end.

A registration ends at `otp_expires_at` or 60 minutes after `created_at`, whichever is first. Each
of these causes is a policy of its own, and every row is of exactly one of them: so the ledger
counts the causes, and still does when the rows, which alone could tell, are gone.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Least

from demo.models import PendingRegistration, UserOTP
from lifecycle import Policy, register

LAST_MOMENT = F("created_at") + timedelta(minutes=settings.DEMO_PENDING_MINUTES)
OTP_END = F("created_at") + timedelta(minutes=settings.DEMO_OTP_MINUTES)

register(
    Policy(
        "registrations-otp-expired",
        PendingRegistration,
        when=Q(otp_expires_at__lte=LAST_MOMENT),
        expires="otp_expires_at",
        grace="grace",
    ),
    Policy(
        "registrations-unconfirmed",
        PendingRegistration,
        when=Q(otp_expires_at=None) | Q(otp_expires_at__gt=LAST_MOMENT),
        expires=LAST_MOMENT,
        grace="grace",
    ),
    Policy(
        "one-time-passwords",
        UserOTP,
        expires=Least("used_at", "expires_at", OTP_END),  # NULLs do not count
        grace="grace",
    ),
)
