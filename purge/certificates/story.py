"""Which events of the ledger a certificate is about: an ending, and what led to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Model
from django.db.models.fields.json import KT

from lifecycle.exceptions import LifecycleError
from lifecycle.insight.why import why
from lifecycle.ledger.row_names import ledger_key, parse, row_name, rows_of_key
from lifecycle.models import Event
from lifecycle.phrases import at, phrase
from purge.erasure.archived import KIND
from purge.erasure.receipt import receipts

GONE = ("purged", "deleted", "truncated")
ENDED = (*GONE, "updated")
LED_TO_IT = (
    "archived", "tombstoned", "expired_by_hand", "expiry_scheduled", "capture_failed", "restored",
    "kept", "hold_placed", "hold_released", "loaded", "noticed",
)  # fmt: skip
MOST_LED = 40  # events of one row
MOST_ENDED = 1_000  # events of one run
MOST_FILES = 20  # events about them
MOST_ARCHIVES = 100  # events about archives


@dataclass(frozen=True)
class Story:
    """An ending and the events beside it, the ending first; of one row, or of a run."""

    events: list[Event]
    row: tuple[type[Model], str] | None = None
    #: the key as the ledger writes it
    key: str = ""

    @property
    def ending(self) -> Event:
        """The event by which it ended."""
        return self.events[0]


def of_row(model: type[Model], key: str, using: str) -> Story:
    """How a row came to its end. Raises `LifecycleError` where it has not, or is there again."""
    found, name = why(model, key, using), row_name(model, key)
    place = next((i for i, each in enumerate(found.events) if each.kind in ENDED), None)
    if place is None:
        raise LifecycleError(phrase("%(name)s has not ended: %(says)s", name=name, says=found.says))
    ending = found.events[place]
    if ending.kind in GONE and rows_of_key(model, key, using).exists():
        back = phrase("a row is there under its key: a newer one, or it came back with a backup")
        raise LifecycleError(
            phrase(
                "%(name)s ended at %(recorded_at)s, and %(back)s. `manage.py purge "
                "--replay --dry-run` tells which.",
                name=name,
                recorded_at=at(ending.recorded_at),
                back=back,
            )
        )
    led = _led_to(found.events[place + 1 :])
    bases = _bases([ending, *led], found.events, using)
    events = _unique([ending, *bases, *led, *_beside(ending, using)])
    return Story(events, (model, key), ledger_key(model, key, using))


def of_run(run: int, using: str) -> Story:
    """All endings of a run, none of their rows shown."""
    found = Event.objects.using(using).filter(run=run, kind__in=ENDED).order_by("pk")
    events = list(found[: MOST_ENDED + 1])
    if not events:
        raise LifecycleError(phrase("Run %(run)s has ended nothing.", run=run))
    if len(events) > MOST_ENDED:
        raise LifecycleError(
            phrase(
                "Run %(run)s has more than %(most)s endings: ask for single rows.",
                run=run,
                most=MOST_ENDED,
            )
        )
    return Story(_unique([*events, *_declared(events[0], using)]))


def of_reference(reference: str, using: str) -> list[Story]:
    """The rows that were erased under a reference. Raises where one of them has not ended yet."""
    stories = []
    for receipt in receipts(reference, using):
        if receipt.ended_at is None:
            raise LifecycleError(
                phrase(
                    "%(row)s has not ended: it is %(state)s.", row=receipt.row, state=receipt.state
                )
            )
        model, key = parse(receipt.row)
        stories.append(of_row(model, key, using))
    return stories


def shared(story: Story, left_out: Sequence[Event]) -> Story:
    """The same without some of its events."""
    gone = {each.pk for each in left_out}
    return replace(story, events=[each for each in story.events if each.pk not in gone])


def _led_to(older: list[Event]) -> list[Event]:
    """What happened to the row in the life that ended, the newest first."""
    ends = next((i for i, each in enumerate(older) if each.kind in ENDED), len(older))
    return [each for each in older[:ends] if each.kind in LED_TO_IT][:MOST_LED]


def _bases(events: list[Event], known: list[Event], using: str) -> list[Event]:
    """The events that list the rows of those which list none themselves; some may have left."""
    wanted = {each.basis for each in events if each.basis}
    left = [each for each in known if each.pk in wanted]
    there = Event.objects.using(using).filter(pk__in=wanted - {each.pk for each in left})
    return sorted([*left, *there], key=lambda each: -each.pk)


def _beside(ending: Event, using: str) -> list[Event]:
    return [*_files(ending, using), *_in_archives(ending, using), *_declared(ending, using)]


def _in_archives(ending: Event, using: str) -> list[Event]:
    """The events about rows that left archives with a row that was erased."""
    if not (erasure := ending.detail.get("erasure")):
        return []
    own = Event.objects.using(using).filter(kind=KIND, detail__erasure=erasure)
    return list(own.filter(pk__gt=int(erasure)).order_by("pk")[:MOST_ARCHIVES])


def _files(ending: Event, using: str) -> list[Event]:
    """The events about the files of a row that was erased; of others nothing links them to one."""
    erasure, names = ending.detail.get("erasure"), ending.detail.get("media", [])
    if not erasure or not names:
        return []
    media = Event.objects.using(using).filter(pk__gt=int(erasure))
    found = list(media.filter(kind="media_orphaned", detail__erasure=erasure)[:MOST_FILES])
    gone = media.filter(kind="media_purged", detail__names__has_any_keys=names)
    return [*found, *gone.order_by("pk")[:MOST_FILES]]


def _declared(ending: Event, using: str) -> list[Event]:
    """The policy as it was declared when it ended the row."""
    named = Event.objects.using(using).filter(kind="policy_changed", policy=ending.policy)
    named = named.alias(made=KT("detail__fingerprint")).filter(made__isnull=False)
    return list(named.filter(pk__lt=ending.pk).order_by("-pk")[:1]) if ending.policy else []


def _unique(events: list[Event]) -> list[Event]:
    return list({each.pk: each for each in events}.values())
