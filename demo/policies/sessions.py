"""Django's sessions, so that `clearsessions` has nothing left to do.

By the hour, for they are many and all alike; and no key of theirs is recorded, for whoever knows
one is logged in.
"""

from demo.models import SiteSession
from lifecycle import Policy, Window, register

register(
    Policy(
        "sessions",
        SiteSession,
        expires="expire_date",
        capture=Window("1 hour", record_subjects=False),
    )
)
