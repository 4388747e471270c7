"""The database, the worker, and nothing of earlier tellings."""

from collections.abc import Iterator
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management import call_command

from demo import facts
from demo.models import (
    AuditLog,
    EmailSuppression,
    IssuedToken,
    PendingRegistration,
    RefusedToken,
    User,
    UserOTP,
)
from purge.proof.gate import alarm_of

from .frame import DOMAIN, Step, Story, StoryError

MARK = "story-"  # how names and keys of the story's rows begin


def own_rows() -> Iterator[Any]:
    """The story's rows, in every table."""
    for model in (PendingRegistration, UserOTP):
        yield model._default_manager.filter(email__endswith=f"@{DOMAIN}")
    yield User.objects.filter(username__startswith=MARK)  # with their services
    yield EmailSuppression.objects.filter(address__endswith=f"@{DOMAIN}")
    for token in (RefusedToken, IssuedToken):
        yield token._default_manager.filter(jti__startswith=MARK)
    yield Session.objects.filter(session_key__startswith=MARK)
    yield AuditLog.objects.filter(actor__startswith=MARK)


def migrate(story: Story) -> str:
    call_command("migrate", verbosity=0, interactive=False)
    if stopped := facts.stopped_policies():
        words = ", ".join(f"{name} is {state}" for name, state in stopped.items())
        raise StoryError(f"{words} (manage.py lifecycle resume, or enable)")
    if alarm := alarm_of(facts.USING):
        raise StoryError(f"{alarm['kind']}: {alarm['text']}: {alarm['command']}")
    return f"{facts.server()} has the tables, triggers and {len(facts.POLICIES)} policies"


def start_worker(story: Story) -> str:
    story.worker = story.spawn("worker", "run_huey")
    worker = {"name": story.worker.tag}
    story.until(lambda: facts.run(__file__, "worker_is_there", **worker)[0][0], "the worker")
    return f"manage.py run_huey, process {story.worker.process.pid}, asks once a second what is due"


def clear(story: Story) -> str:
    """The rows of earlier tellings, also of one that was killed."""
    removed = sum(rows.delete()[0] for rows in own_rows())
    story.begin()
    return f"{removed} rows of earlier runs deleted; the ledger keeps what happened to them"


STEPS: dict[str, Step] = {"database": migrate, "worker": start_worker, "clean": clear}
