"""When an account ends whose address was never verified.

Verifying the address, or logging in, makes `when` false: also during the grace, and the user is
back at once, without anybody restoring anything.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q

from demo.models import User
from lifecycle import Policy, register

register(
    Policy(
        "unverified-users",
        User,
        when=Q(email_verified_at=None, last_login=None, is_staff=False, is_superuser=False),
        expires=F("date_joined") + timedelta(days=settings.DEMO_UNVERIFIED_DAYS),
        grace=timedelta(days=settings.DEMO_UNVERIFIED_GRACE_DAYS),
        identity=["pk", "date_joined"],
    )
)
