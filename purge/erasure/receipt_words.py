"""A receipt in words, for whoever asked for the erasure."""

from typing import Any

from lifecycle.phrases import at, joined, padded, phrase, word
from lifecycle.printable import visible
from purge.erasure import along, archived

WORDS = {
    "purged": phrase("deleted"),
    "updated": phrase("changed, as the policy says"),
    "tombstoned": phrase("tombstoned, deleted after its grace"),
    "scheduled": phrase("changed after its grace, as the policy says"),
    "withdrawn": phrase("not ended: restored or changed since"),
    "deleted": phrase("deleted since by the site itself"),
}


def in_words(receipt: Any) -> str:
    """For people, a line for each thing."""
    about = {"row": receipt.row, "reference": receipt.reference}
    head = phrase("Erasure: %(row)s, reference %(reference)s", **about)
    if receipt.dry_run:
        head = phrase("Would be erased: %(row)s, reference %(reference)s", **about)
    lines = [joined("", ["  ", padded(name, 10), what]) for name, what in _lines(receipt)]
    return joined("\n", map(visible, [head, *lines]))


def _lines(receipt: Any) -> list[tuple[str, str]]:
    ends = receipt.ended_at or receipt.ends_at
    lines = [
        (phrase("asked"), _asked(receipt)),
        (phrase("state"), joined(": ", [WORDS[receipt.state], *([at(ends)] if ends else [])])),
        (phrase("waits for"), receipt.waits_for),
        (
            phrase("events"),
            joined(
                ", ", [joined(" ", [each["id"], word(each["kind"])]) for each in receipt.events]
            ),
        ),
        (
            phrase("with it"),
            along.counts(receipt.cascade) or (phrase("no other rows") if receipt.ended_at else ""),
        ),
        (phrase("stays"), _stays(receipt)),
        (phrase("media"), _files(receipt) if receipt.ended_at or receipt.media else ""),
        (phrase("archives"), ", ".join(receipt.archives) or phrase("none")),
        *(("", archived.in_words(each)) for each in receipt.archived_rows),
    ]
    return [(name, what) for name, what in lines if what]


def _files(receipt: Any) -> str:
    said = [
        phrase("%(name)s deleted %(time)s", name=name, time=at(time))
        for name, time in receipt.media_gone.items()
    ]
    left = [name for name in receipt.media if name not in receipt.media_gone]
    if left:
        said.append(phrase("remain in the storage: %(names)s", names=", ".join(left)))
    return joined("; ", said) if said else phrase("no files")


def _asked(receipt: Any) -> str:
    return phrase(
        "%(time)s by %(name)s, policy %(policy)s",
        time=at(receipt.requested_at),
        name=receipt.actor,
        policy=receipt.policy,
    )


def _stays(receipt: Any) -> str:
    if not receipt.unlinked:
        return ""
    return phrase("%(counts)s, link emptied", counts=along.counts(receipt.unlinked))
