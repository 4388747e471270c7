"""When they end: batches are small, so that a fault falls between two."""

from datetime import timedelta

from lifecycle import Archive, Policy, register
from tests.faults.host.models import Line, Note, Photo

GRACE = timedelta(milliseconds=300)
MANY = 10**9

register(
    Policy("notes", Note, expires="expires_at", batch_rows=10, cap_rows=MANY),
    Policy("photos", Photo, expires="expires_at", grace=GRACE, batch_rows=10, cap_rows=MANY),
    Policy(
        "lines",
        Line,
        expires="expires_at",
        disposition=Archive("lines/", formats=("jsonl",)),
        batch_rows=20,
        cap_rows=MANY,
    ),
)
