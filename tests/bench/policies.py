"""One policy for each tracked model; the caps are out of the way."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q

from lifecycle import Archive, Partitions, Policy, Window, register
from tests.bench.models import (
    Graced,
    Keeper,
    Kept,
    KeyAlone,
    Keyed,
    Logged,
    Month,
    Parent,
    Stamped,
    Tracked,
    TrackedOrder,
    Windowed,
)

WHEN = Q(active=True)
NO_CAP = 10**9

register(
    Policy("bench-tracked", Tracked, when=WHEN, expires="expires_at", cap_rows=NO_CAP),
    Policy(
        "bench-windowed",
        Windowed,
        when=WHEN,
        expires="expires_at",
        capture=Window("1 day"),
        cap_rows=NO_CAP,
    ),
    Policy(
        "bench-month",
        Month,
        expires=F("created") + timedelta(days=90),
        capture=Partitions(),
        cap_rows=NO_CAP,
    ),
    Policy("bench-stamped", Stamped, when=WHEN, expires="expires_at", cap_rows=NO_CAP),
    Policy("bench-keyed", Keyed, when=WHEN, expires="expires_at", cap_rows=NO_CAP),
    Policy(
        "bench-keyalone",
        KeyAlone,
        when=WHEN,
        expires="expires_at",
        identity=["pk"],
        cap_rows=NO_CAP,
    ),
    Policy(
        "bench-graced",
        Graced,
        when=WHEN,
        expires="expires_at",
        grace=timedelta(hours=1),
        cap_rows=NO_CAP,
    ),
    Policy(
        "bench-kept",
        Kept,
        when=WHEN,
        expires="expires_at",
        keep_while=Exists(Keeper.objects.filter(row=OuterRef("pk"))),
        cap_rows=NO_CAP,
    ),
    Policy("bench-parents", Parent, when=WHEN, expires="expires_at", cap_rows=NO_CAP),
    Policy(
        "bench-order",
        TrackedOrder,
        when=Q(status="draft"),
        expires=F("created_at") + timedelta(days=30),
        cap_rows=NO_CAP,
    ),
)
register(
    Policy(
        "bench-logged",
        Logged,
        expires=F("created_at") + timedelta(days=30),
        capture=Window("1 day"),
        disposition=Archive(prefix="bench/", formats=("jsonl",)),
        cap_rows=NO_CAP,
    )
)
