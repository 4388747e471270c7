"""The other systems of the site. Their rows are past their end as they are written."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.core.management import call_command

from demo import facts
from demo.factories import (
    AuditLogFactory,
    EmailSuppressionFactory,
    IssuedTokenFactory,
    RefusedTokenFactory,
    ServiceFactory,
    ServiceMediaFactory,
    UserFactory,
)
from demo.models import AuditLog, EmailSuppression, IssuedToken, RefusedToken, Service, User
from purge.models import Archive

from .frame import DOMAIN, Step, Story, StoryError
from .opening import MARK

SESSIONS, LOGS = 5, 4
NOW = {"purge_now": True, "yes": True, "actor": "demo"}


def purge_now(name: str, mine: int) -> None:
    """Run a clean-up command with --purge-now, if all that it finds is the story's own."""
    (part,) = manage(name, dry_run=True, **NOW)["parts"]
    if part["found"] > mine:
        raise StoryError(f"{name} would end {part['found'] - mine} rows that are not the story's")
    manage(name, **NOW)


def manage(name: str, **options: Any) -> dict[str, Any]:
    """What a clean-up command reports."""
    out = StringIO()
    call_command(name, json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue()))


def recorded(story: Story, kind: str, policy: str) -> int:
    """How many of the story's rows have an event of that kind by that policy."""
    return story.facts.count(kind, policy)


def begin(story: Story) -> str:
    """A forgotten row, or some, for each system."""
    story.begin()
    owner = UserFactory.create(username=f"{MARK}owner")
    bare, pictured = (
        ServiceFactory.create(abandoned=True, title=title, owner=owner)
        for title in ("begun and left", "with a picture")
    )
    picture = ServiceMediaFactory.create(service=pictured)
    story.picture = picture.file.name
    users = [UserFactory.create(forgotten=True, username=f"{MARK}{n}") for n in ("back", "gone")]
    tokens = [
        factory.create(expired=True, jti=f"{MARK}{n}")
        for factory, count in ((RefusedTokenFactory, 3), (IssuedTokenFactory, 2))
        for n in range(count)
    ]
    bounces = [
        EmailSuppressionFactory.create(address=f"{state}@{DOMAIN}", **{state: True})
        for state in ("soft_old", "stale", "hard")
    ]
    expired = facts.clock() - timedelta(hours=3)
    sessions = [Session(session_key=f"{MARK}{n}", expire_date=expired) for n in range(SESSIONS)]
    Session.objects.bulk_create(sessions)
    logs = AuditLogFactory.create_batch(LOGS, old=True, actor=f"{MARK}jo")
    rows = [bare, pictured, *users, *tokens, *bounces]
    story.add([*rows, *logs])
    return f"{len(rows)} forgotten rows of 5 tables, {SESSIONS} sessions, {LOGS} audit logs"


def tokens(story: Story) -> str:
    """They have no grace, so the worker purges them at once."""
    mine = [m._default_manager.filter(jti__startswith=MARK) for m in (RefusedToken, IssuedToken)]
    story.until(lambda: not any(rows.exists() for rows in mine), "expired tokens purged")
    return "3 of the plain blacklist and 2 of simplejwt purged by the worker"


def sessions(story: Story) -> str:
    """A window is swept by the table's own index; no key is recorded."""
    expired = Session.objects.filter(expire_date__lt=facts.clock())
    story.until(lambda: not expired.exists(), "expired sessions purged")
    call_command("clearsessions")
    return f"{SESSIONS} swept by the hour, no key recorded; clearsessions: nothing left"


def bounces(story: Story) -> str:
    mine = EmailSuppression.objects.filter(address__endswith=f"@{DOMAIN}")
    wanted = {("hard", True), ("soft", False)}
    story.until(lambda: set(mine.values_list("kind", "active")) == wanted, "bounces cleaned up")
    return "soft: deactivated; stale: deleted; hard: stays"


def drafts(story: Story) -> str:
    """By itself the policy keeps what has a picture; the command does only where a flag says so."""
    mine = Service.objects.filter(owner__username=f"{MARK}owner")
    story.until(lambda: mine.tombstoned().count() == 1, "a draft tombstoned")
    story.until(lambda: recorded(story, "kept", "draft-services") == 1, "a draft kept")
    purge_now("cleanup_draft_services", mine=2)
    if mine.exists():
        raise StoryError(f"{mine.count()} drafts are left")
    return "one tombstoned, one kept for its picture; --purge-now: both go"


def media(story: Story) -> str:
    """The rows' commit comes first; then the worker reads the names from the ledger."""
    story.until(lambda: not default_storage.exists(story.picture), "the picture's file deleted")
    return "the picture's file is gone, after its row"


def users(story: Story) -> str:
    mine = User.objects.filter(username__in=[f"{MARK}back", f"{MARK}gone"])
    story.until(
        lambda: story.facts.count("tombstoned", "unverified-users") == 2, "users tombstoned"
    )
    mine.filter(username=f"{MARK}back").update(email_verified_at=facts.clock())
    back = mine.live().get()
    purge_now("cleanup_unverified_users", mine=1)
    if list(mine) != [back]:
        raise StoryError(f"{mine.count()} users are left")
    return f"two tombstoned; {back} verifies, and is back; one purged"


def audit(story: Story) -> str:
    """By themselves they go with their month; whoever asks has them archived now."""
    mine = AuditLog.objects.filter(actor__startswith=MARK)
    purge_now("archive_audit_logs", mine=LOGS)
    if mine.exists():
        raise StoryError(f"{mine.count()} audit logs are left")
    # Not --all: the folder may have archives of a database that was deleted since.
    mine_now = Archive.objects.filter(policy="audit-logs").latest("id").name
    call_command("archive", "verify", mine_now, stdout=StringIO())
    return f"{LOGS} archived, read back, deleted; archive verify: whole"


def maintenance(story: Story) -> str:
    done = manage("run_maintenance", actor="demo")["commands"]
    purged = sum(part["purged"] for each in done for part in each["parts"])
    return f"run_maintenance: {len(done)} clean-ups, {purged} rows left for it to purge"


STEPS: dict[str, Step] = {
    "systems": begin,
    "tokens": tokens,
    "sessions": sessions,
    "bounces": bounces,
    "drafts": drafts,
    "media": media,
    "users": users,
    "audit logs": audit,
    "maintenance": maintenance,
}
