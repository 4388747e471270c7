"""Registrations and one-time passwords: every way that rows come into a table, and their life."""

from datetime import timedelta
from typing import Any

from demo import facts
from demo.factories import PendingRegistrationFactory
from demo.models import PendingRegistration, UserOTP
from lifecycle import context, restore

from .frame import DOMAIN, Step, Story, StoryError

GRACE = timedelta(seconds=5)
BULK, RAW, OTPS, USED = 11, 12, 8, 3
DUE_IN = timedelta(seconds=6)


def write(story: Story) -> str:
    """Registrations and passwords by each way that rows come into a table."""
    story.due = (facts.clock() + DUE_IN).replace(microsecond=0)
    row: dict[str, Any] = {"otp_expires_at": story.due, "grace": GRACE}
    story.first = PendingRegistrationFactory.create(email=f"saved@{DOMAIN}", **row)
    bulk = [
        PendingRegistrationFactory.build(email=f"bulk-{n}@{DOMAIN}", **row) for n in range(BULK)
    ]
    made = [story.first, *PendingRegistration.objects.bulk_create(bulk)]
    rest = {"domain": DOMAIN, "due": story.due}
    raw = facts.run(__file__, "write_registrations", count=RAW, grace=GRACE, **rest)
    story.add(made)
    story.add_keys(PendingRegistration, (key for (key,) in raw))
    story.add_keys(
        UserOTP, (key for (key,) in facts.run(__file__, "write_otps", count=OTPS, **rest))
    )
    return f"1 row by save(), {BULK} by bulk_create(), {RAW} and {OTPS} by raw SQL"


def recorded(story: Story) -> str:
    """Asks right away: the triggers write in the transaction of the row."""
    rows, wanted = story.facts.count("expiry_scheduled"), 1 + BULK + RAW + OTPS
    if rows != wanted:
        raise StoryError(f"the ledger knows {rows} of {wanted} rows")
    events = story.facts.events("expiry_scheduled")
    return f"{rows} rows in {events} events, one a statement; due at {story.due:%H:%M:%S}"


def use(story: Story) -> str:
    """A used password ends at once; its grace is that of production, none."""
    some = UserOTP.objects.filter(email__endswith=f"@{DOMAIN}").order_by("pk")[:USED]
    used = UserOTP.objects.filter(pk__in=[each.pk for each in some]).update(used_at=facts.clock())
    story.until(lambda: story.facts.count("purged") >= used, "used passwords purged")
    return f"{used} by update(); grace 0: purged {seconds(story.facts.lag()[1])} later"


def fall_due(story: Story) -> str:
    wait = (story.due - facts.clock()).total_seconds()
    story.until(lambda: not story.registrations().live().exists(), "rows due", max(wait, 0))
    ended = story.registrations().tombstoned().count()
    return f"live() hides {ended} registrations the moment they end, worker or not"


def tombstoned(story: Story) -> str:
    wanted = 1 + BULK + RAW
    story.until(lambda: story.facts.count("tombstoned") == wanted, "all tombstoned")
    expired = story.facts.count("tombstoned", "registrations-otp-expired")
    unconfirmed = story.facts.count("tombstoned", "registrations-unconfirmed")
    lag = seconds(story.facts.lag()[0])
    return f"{expired} OTP expired, {unconfirmed} not confirmed in 60 minutes; lag {lag}"


def restored(story: Story) -> str:
    with context(actor="demo", cause="the story restores one"):
        restore(story.first, policy="registrations-otp-expired")
    if not story.registrations().live().filter(pk=story.first.pk).exists():
        raise StoryError("the restored row is not live")
    return f"{story.first} is live again, by `restore(obj)`"


def purged(story: Story) -> str:
    wanted = BULK + RAW + OTPS
    seen = "others purged"
    story.until(lambda: story.facts.count("purged") == wanted, seen, GRACE.total_seconds())
    lag = seconds(story.facts.lag()[1])
    return f"{wanted} rows {GRACE.seconds} s after their tombstone (passwords: at once); lag {lag}"


def left(story: Story) -> str:
    registrations = list(story.registrations())
    passwords = UserOTP.objects.filter(email__endswith=f"@{DOMAIN}").count()
    if registrations != [story.first] or passwords:
        raise StoryError(f"{len(registrations)} registrations and {passwords} passwords are left")
    return f"only {story.first}, which was restored"


def seconds(span: timedelta | None) -> str:
    return "unknown" if span is None else f"{span.total_seconds():.1f} s"


STEPS: dict[str, Step] = {
    "written": write,
    "recorded": recorded,
    "used": use,
    "due": fall_due,
    "tombstoned": tombstoned,
    "restored": restored,
    "purged": purged,
    "left": left,
}
