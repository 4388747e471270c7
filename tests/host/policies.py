"""When notes and visits end."""

from django.db.models import F, Q

from lifecycle import Policy, Signals, register
from tests.host.models import DAY, HOUR, WEEK, Note, Visit

register(
    Policy("notes", Note, when=Q(draft=True), expires=F("written_at") + DAY, grace=WEEK),
    Policy("visits", Visit, expires=F("seen_at") + HOUR, capture=Signals()),
)
