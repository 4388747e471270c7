"""A certificate as text for a person: what the log proves, what the site says, who signed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lifecycle.proof.canonical import Text
from lifecycle.proof.certificate import Checked
from lifecycle.proof.plain import dump
from lifecycle.proof.story import StoryEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {
    "purged": "deleted by the policy", "deleted": "deleted by the site itself",
    "updated": "changed, as the policy says", "truncated": "deleted with all of its table",
    "archived": "put into an archive", "archive_erased": "rows of it leave archives",
    "archive_lost": "an archive is gone for good, as somebody has declared",
    "tombstoned": "tombstoned",
    "expiry_scheduled": "end recorded", "expired_by_hand": "end asked for",
    "hold_placed": "hold placed", "hold_released": "hold released", "restored": "restored",
    "media_orphaned": "files to be deleted", "media_purged": "files deleted",
    "policy_changed": "policy declared", "kept": "kept", "loaded": "loaded again",
    "capture_failed": "end not known", "blocked": "could not go", "noticed": "warned by mail",
}  # fmt: skip


def readable(checked: Checked) -> str:
    """All that a certificate says, a fact a line; nothing in it that was not checked."""
    head, events = checked.signed.checkpoint, checked.certificate.events
    lines = [f"Certificate {checked.statement.number}", "", f"Proven by the log {head.origin}:"]
    for each in events:
        lines += [f"  {line}" for line in _told(each)]
    lines += ["", "Said by the site, signed by the same key, and proven by nothing here:"]
    lines += [f"  {title}: {printable(text)}" for title, text in checked.statement.lines]
    lines += ["", *_signed(checked)]
    return "".join([f"{line}\n" for line in lines])


def moment(micros: Text) -> str:
    """Microseconds since 1970 as people read them."""
    if micros is None:
        return "never"
    try:
        at = _EPOCH + timedelta(microseconds=int(micros))
    except (OverflowError, ValueError):
        return f"{micros} microseconds since 1970"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def printable(text: str) -> str:
    """One line, without what could move a terminal's cursor or turn text around."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _told(event: StoryEvent) -> Iterator[str]:
    kind = event.said("kind") or ""
    yield f"{moment(event.said('recorded_at'))}: {_KINDS.get(kind, printable(kind))}"
    yield f"    event {event.said('id')} ({kind}), leaf {event.leaf_index}"
    for title, text in _details(event):
        if text:
            yield f"    {title}: {printable(text)}"


def _details(event: StoryEvent) -> Iterator[tuple[str, Text]]:
    yield "model", event.said("model")
    yield "policy", event.said("policy")
    yield "due", moment(event.said("due_at")) if event.said("due_at") else None
    yield "run", event.said("run")
    yield "rows", event.said("count")
    yield "row", _row(event)
    for kind in ("cause", "actor", "detail"):
        part = event.part(kind)
        yield kind, part[0] if part else None
    for each in event.parts:
        if each.blind is None:
            yield "commitment", each.commitment.hex()


def _row(event: StoryEvent) -> Text:
    part = event.part("subject")
    return f"{part[0]}:{part[1]}" if part else None


def _signed(checked: Checked) -> Iterator[str]:
    head = checked.signed.checkpoint
    yield f"Log of {head.size} events, root {head.root.hex()}"
    names = ", ".join(sorted(checked.signed.witnesses))
    yield f"Signed by {head.origin}; witnesses that were asked about: {names or 'none'}"


def as_json(checked: Checked) -> str:
    """The same for programs: what was checked, in one object."""
    head = checked.signed.checkpoint
    return dump({
        "number": checked.statement.number, "origin": head.origin, "size": head.size,
        "root": head.root.hex(), "witnesses": sorted(checked.signed.witnesses),
        "events": [each.plain() for each in checked.certificate.events],
        "said": [list(line) for line in checked.statement.lines],
    })  # fmt: skip
