"""What a certificate says that no event proves: the site's word, signed with it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from lifecycle.conf import conf
from lifecycle.exceptions import NoPolicy
from lifecycle.insight import declared
from lifecycle.insight.why import holds_on
from lifecycle.models import Event
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from lifecycle.printable import in_utc
from purge.certificates.story import GONE, Story

NOT_COVERED = (
    "what somebody has copied out of the database: exports, caches, logs, mail, search indexes, "
    "other systems"
)


def statement(
    story: Story, left_out: list[Event], now: datetime, using: str
) -> list[tuple[str, str]]:
    """The lines of a certificate's statement, each a title and a text."""
    lines = [("Issued", in_utc(now)), *_of_policy(story.ending)]
    lines += [("Method", _method(story.ending)), *_of_row(story, now, using)]
    lines += _archives(story)
    if left_out:
        numbers = ", ".join(str(each.pk) for each in left_out)
        lines.append(("Left out", f"events that this log cannot prove: {numbers}"))
    return [*lines, *_not_covered(story.ending)]


def _of_policy(ending: Event) -> Iterator[tuple[str, str]]:
    policy = _policy(ending)
    if policy is None:
        yield "Policy", ending.policy or "none: the site itself has deleted it"
        return
    yield "Legal basis", declared.basis(policy)
    yield "Rows", declared.which(policy)
    yield "End", declared.when(policy)
    yield "Grace", declared.grace(policy)


def _policy(ending: Event) -> Policy | None:
    try:
        return get_policy(ending.policy) if ending.policy else None
    except NoPolicy:
        return None


def _method(ending: Event) -> str:
    if ending.kind == "updated":
        policy = _policy(ending)
        return declared.ending(policy) if policy else "Columns were changed."
    if ending.kind == "truncated":
        return "TRUNCATE of its table."
    return "DELETE in the database, in one transaction with the event that records it."


def _of_row(story: Story, now: datetime, using: str) -> Iterator[tuple[str, str]]:
    if story.row is None:
        return
    if story.ending.kind in GONE:
        yield "Checked", f"at {in_utc(now)} its table had no row under its key"
    held = holds_on(*story.row, using)
    numbers = ", ".join(str(each.number) for each in held)
    yield "Holds", f"in force when this was issued: {numbers}" if held else "none is in force"


def _archives(story: Story) -> Iterator[tuple[str, str]]:
    names = [str(each.detail.get("archive")) for each in story.events if each.kind == "archived"]
    text = f"copies remain in {', '.join(names)}, until these are deleted" if names else "none"
    yield "Archives", text


def backups_with(moment: datetime) -> str:
    """Until when backups have what ended at a moment, as far as the site says."""
    text = f"those made before {in_utc(moment)} still have it, until each of them is deleted"
    if conf.BACKUP_MAX_AGE is None:
        return text
    return f"{text}; backups expire on {in_utc(moment + timedelta(seconds=conf.BACKUP_MAX_AGE))}"


def _not_covered(ending: Event) -> Iterator[tuple[str, str]]:
    yield "Backups", backups_with(ending.recorded_at)
    yield "Not covered", NOT_COVERED
