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
from purge.certificates.copies import of_copies
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
    lines += [*_approved(story.ending, using), *of_copies(story, now, using)]
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
    now_held = f"in force when this was issued: {numbers}" if held else "none is in force"
    yield "Holds", f"{_looked_at(story)}; {now_held}"


def _looked_at(story: Story) -> str:
    """The holds of the life that ended, and that they were asked for when it did."""
    placed = [each.pk for each in story.events if each.kind == "hold_placed"]
    released = [each.pk for each in story.events if each.kind == "hold_released"]
    known = ", ".join(f"{number}" for number in sorted(placed)) or "none"
    by = f", released by {', '.join(map(str, sorted(released)))}" if released else ""
    if story.ending.policy:
        return f"looked at in the transaction that ended it: in its life {known}{by}"
    return f"not looked at, for the site itself has ended it: in its life {known}{by}"


def _approved(ending: Event, using: str) -> Iterator[tuple[str, str]]:
    """Who asked for the ending by name, and who let the policy act last, by the ledger's events."""
    yield "Asked for by", ending.actor or "nobody: the policy's own time"
    if not ending.policy:
        return
    decided = Event.objects.using(using).filter(policy=ending.policy, pk__lt=ending.pk)
    decided = decided.filter(kind__in=("resumed", "policy_changed")).exclude(actor="")
    last = decided.order_by("-pk").first()
    text = "nobody by name: it acts as the site's code declares it"
    if last is not None:
        text = f"{last.actor}, by event {last.pk} ({last.kind}) of {in_utc(last.recorded_at)}"
    yield "Approved by", text


def backups_with(moment: datetime) -> str:
    """Until when backups have what ended at a moment, as far as the site says."""
    text = f"those made before {in_utc(moment)} still have it, until each of them is deleted"
    if conf.BACKUP_MAX_AGE is None:
        return text
    return f"{text}; backups expire on {in_utc(moment + timedelta(seconds=conf.BACKUP_MAX_AGE))}"


def _not_covered(ending: Event) -> Iterator[tuple[str, str]]:
    yield "Backups", backups_with(ending.recorded_at)
    yield "Not covered", NOT_COVERED
