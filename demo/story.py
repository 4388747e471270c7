"""The story of `manage.py demo`: the life of some rows, told by the ledger as it happens.

Each step does something or waits for something, asks the database, and returns what it has seen.
What does not happen in time raises `StoryError`: nothing is claimed that was not seen.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.core.management import call_command

from lifecycle import context, restore

from . import facts
from .children import Child
from .factories import PendingRegistrationFactory
from .models import PendingRegistration, UserOTP

DOMAIN = "story.example"
GRACE = timedelta(seconds=5)
BULK, RAW, OTPS, USED = 11, 12, 8, 3
DUE_IN = timedelta(seconds=6)
PATIENCE = 20.0  # seconds that a step may take longer than it should
POLL_SECONDS = 0.1


class StoryError(Exception):
    """Something did not happen."""


class View(Protocol):
    """Who watches."""

    def begin(self, title: str) -> None: ...
    def done(self, seen: str) -> None: ...
    def refresh(self, facts: facts.Facts) -> None: ...


class Story:
    """One telling. Its rows are its own: those of an earlier telling are removed first."""

    def __init__(self, view: View, spawn: Callable[..., Child]) -> None:
        self.view, self.spawn = view, spawn
        self.facts = facts.Facts()
        self.worker: Child
        self.due: datetime
        self.first: PendingRegistration

    def tell(self) -> None:
        for title, step in STEPS.items():
            self.view.begin(title)
            self.view.done(step(self))
            self.view.refresh(self.facts)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 0) -> None:
        """Wait for something that the database says; `StoryError` when it does not come."""
        deadline = time.monotonic() + seconds + PATIENCE
        while not condition():
            if not self.worker.is_running():
                raise StoryError(f"the worker has ended:\n{self.worker.last_words()}")
            if time.monotonic() > deadline:
                raise StoryError(f"{what}: it did not happen in time (see {self.worker.log})")
            self.view.refresh(self.facts)
            time.sleep(POLL_SECONDS)

    def registrations(self) -> Any:
        return PendingRegistration.objects.filter(email__endswith=f"@{DOMAIN}")

    def add(self, model: str, keys: list[int]) -> None:
        self.facts.rows += [f"demo.{model}:{key}" for key in keys]


def migrate(story: Story) -> str:
    call_command("migrate", verbosity=0, interactive=False)
    if stopped := facts.stopped_policies():
        told = ", ".join(f"{name} is {state}" for name, state in stopped.items())
        raise StoryError(f"{told} (manage.py lifecycle resume, or enable)")
    return f"{facts.server()} has the tables, triggers and {len(facts.POLICIES)} policies"


def start_worker(story: Story) -> str:
    story.worker = story.spawn("worker", "run_huey")
    worker = {"name": story.worker.tag}
    story.until(lambda: facts.run("worker_is_there", **worker)[0][0], "the worker")
    return f"manage.py run_huey, process {story.worker.process.pid}, asks once a second what is due"


def clear(story: Story) -> str:
    """The rows of earlier tellings, also of one that was killed."""
    removed = 0
    for model in (PendingRegistration, UserOTP):
        removed += model._default_manager.filter(email__endswith=f"@{DOMAIN}").delete()[0]
    story.facts.since = facts.last_event()
    return f"{removed} rows of earlier runs deleted; the ledger keeps what happened to them"


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
    raw = facts.run("write_registrations", count=RAW, grace=GRACE, **rest)
    story.add("pendingregistration", [each.pk for each in made] + [key for (key,) in raw])
    story.add("userotp", [key for (key,) in facts.run("write_otps", count=OTPS, **rest)])
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


STEPS: dict[str, Callable[[Story], str]] = {
    "database": migrate,
    "worker": start_worker,
    "clean": clear,
    "written": write,
    "recorded": recorded,
    "used": use,
    "due": fall_due,
    "tombstoned": tombstoned,
    "restored": restored,
    "purged": purged,
    "left": left,
}
