"""What a certificate says of copies: files and their versions, archives, systems that have some.

Looked at when it is issued. What could not be looked at is said, not passed over.
"""

from collections.abc import Iterator
from datetime import datetime

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.printable import in_utc
from purge.archive.catalog import prefixes
from purge.archive.destinations import destination
from purge.archive.records import records
from purge.certificates.story import Story
from purge.erasure.archived import KIND, in_words, steps_of
from purge.models import Archive

ACKNOWLEDGED = "none known: nothing here asks other systems whether they have deleted theirs"
NO_END = "until somebody deletes it: this package sets no end to archives"


def of_copies(story: Story, now: datetime, using: str) -> Iterator[tuple[str, str]]:
    """The lines about them."""
    yield from _files(story.events)
    yield from _archives(story.events, now, using)
    for step in steps_of([each for each in story.events if each.kind == KIND], using):
        yield "Rows in archives", in_words(step)
    yield "Copies that acknowledged", ACKNOWLEDGED


def _files(events: list[Event]) -> Iterator[tuple[str, str]]:
    """Only of erasures is it known which files were a row's; of others it is said."""
    gone = sum(each.count for each in events if each.kind == "media_purged")
    named = sum(len(each.detail.get("media", [])) for each in events)
    if not gone and not named:
        yield "Files", "none is known of this row"
        return
    how = (
        "every version of an object is deleted"
        if conf.MEDIA_DELETE_VERSIONS
        else "where a bucket keeps versions, older ones stay until its own rules delete them"
    )
    yield "Files", f"{gone} deleted, as the events above say; {how}"


def _archives(events: list[Event], now: datetime, using: str) -> Iterator[tuple[str, str]]:
    names = sorted({str(each.detail.get("archive")) for each in events if each.kind == "archived"})
    if not names:
        yield "Archives", "none"
    for name in names:
        yield "Archives", f"{name}: {_archive(name, now, using)}"


def _archive(name: str, now: datetime, using: str) -> str:
    """Whether the destination has something of it still."""
    try:
        where, below = destination(), _prefixes(name, using)
        is_there = any(any(where.names(f"{prefix}{name}.")) for prefix in below)
    except LifecycleError as error:
        return f"a copy may remain, {NO_END}; it could not be looked at: {error}"
    own = records([using], [name]).get(name, [])
    if replaced := next((each.replaced for each in own if each.replaced), None):
        left = "something of it was" if is_there else "nothing of it was"
        return f"it {replaced.says}; {left} there at {in_utc(now)}"
    if lost := next((each.lost for each in own if each.lost), None):
        left = "something of it was" if is_there else "nothing of it was"
        return f"it {lost.says}, not erased; {left} there at {in_utc(now)}"
    if is_there:
        return f"a copy remains, {NO_END}; it was there at {in_utc(now)}"
    return f"nothing of it was there at {in_utc(now)}"


def _prefixes(name: str, using: str) -> list[str]:
    """Where an archive is, as it was made; else where the policies have theirs."""
    own = Archive.objects.using(using).filter(name=name).values_list("prefix", flat=True)
    return sorted({*own}) or prefixes()
