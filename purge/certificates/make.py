"""Making certificates: of a row, of what was erased under a reference, of a run."""

from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.phrases import phrase
from lifecycle.proof.certificate import Certificate, Checked
from lifecycle.proof.leaf import Text
from lifecycle.proof.story import StoryEvent
from purge.certificates.prove import NotPublished, Prover, Shown
from purge.certificates.said import statement
from purge.certificates.story import Story, shared
from purge.proof.options import ProofOptions, proof_options

OFF = phrase("LIFECYCLE_PROOF is off: what is not published cannot be proven.")


def certify(story: Story, using: str, open_row: bool = False) -> Checked:
    """A certificate of what a story tells, checked as its holder will check it.

    The row is a commitment unless `open_row`; with it the names of files are opened too. Raises
    `NotPublished` where the ending is not in the published log yet.
    """
    options = proof_options()
    if options is None:
        raise LifecycleError(OFF)
    prover = Prover.of_events([each.pk for each in story.events], using, options)
    events, left_out = _prove(prover, story, open_row)
    now = scalar(using, "SELECT lifecycle.now_v1()")
    lines = statement(shared(story, left_out), left_out, now, using)
    return _signed(prover, options, events, lines)


def _signed(
    prover: Prover, options: ProofOptions, events: list[StoryEvent], lines: list[tuple[str, str]]
) -> Checked:
    incarnation, head = prover.log.incarnation, prover.head
    signer = options.signer_of(incarnation)
    made = Certificate.make(events, head.note, head.checkpoint.origin, lines, signer)
    witnesses = [each.key for each in options.witnesses]
    return Certificate.parse(made.encode()).verify([options.verifier_of(incarnation)], witnesses)


def _prove(prover: Prover, story: Story, open_row: bool) -> tuple[list[StoryEvent], list[Event]]:
    """The events that can be proven; the ending has to be, the others may be of an older log."""
    shown = shown_of(story, open_row)
    proven, left_out = [prover.prove(story.ending.pk, shown)], []
    for event in story.events[1:]:
        try:
            proven.append(prover.prove(event.pk, shown))
        except NotPublished:
            left_out.append(event)
    return proven, left_out


def shown_of(story: Story, open_row: bool) -> Shown:
    """Which parts of an event are shown, and opened: nobody's row, and no file, unless asked."""

    def shown(fields: tuple[Text, ...]) -> bool | None:
        kind, *said = fields
        if kind == "subject":
            mine = story.row is not None and said[1] == story.key and _is_of(story, said[0])
            return open_row if mine else None
        if kind == "settled":
            return None
        return open_row or kind != "detail" or not _names_files(said[0] or "")

    return shown


def _is_of(story: Story, label: Text) -> bool:
    return story.row is not None and label == story.row[0]._meta.label_lower


def _names_files(detail: str) -> bool:
    return '"names"' in detail or '"media"' in detail
