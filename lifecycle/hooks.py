"""What the app that acts does for this package, which never imports it.

It registers itself in its `AppConfig.ready()`. Without one nothing ends, and there are no runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase

Runs = dict[str, tuple[datetime, str]]
Standstills = dict[str, list[str]]
Slowed = dict[str, list[str]]
Measures = tuple[str, dict[str, Any]]  # a statement and its parameters
Strayed = list[tuple[int, str, str]]


@dataclass
class LogCheck:
    """What of a ledger's log was compared, what is wrong, and what could not be read; in words."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Fact:
    """How one part of a database's retention stands: the part, and what there is to say of it.

    `problem` where somebody should do something; what, is said.
    """

    part: str
    says: str
    problem: bool = False


def _no_log(using: str, deep: bool) -> LogCheck:
    return LogCheck(unread=["LIFECYCLE_PROOF is not set: nothing is published"])


def _none_left(model: type[Model], key: str, known: Sequence[int], using: str) -> list[Any]:
    return []


NO_LOG = phrase("No app of this project publishes the ledger: nothing can be proven.")
NO_APP = phrase('No app of this project ends rows: add "purge" to INSTALLED_APPS.')
NOBODY = Fact(phrase("Worker"), NO_APP, True)


def _no_certificate(model: type[Model], key: str, using: str) -> tuple[str, bytes]:
    raise LifecycleError(NO_LOG)


@dataclass(frozen=True)
class ActingApp:
    """What this package asks of the app that ends rows, each time of one database.

    make_pass    end what is due, once through
    last_runs    by policy: when the last pass began that found something, and the kind of its error
    standstills  by policy: what keeps its rows although no pass fails, in words
    slowed       by policy: what slows it down at this moment, in words
    verify_log   the ledger against what was sealed and published; with True all of it
    certificate  of a row that has ended: a name for a file, and its content; or `LifecycleError`
    facts        how worker, log and archives stand, in words that name no row
    measures     a statement of what `lifecycle.metrics` tells of workers: see `Sample` there
    plan_ticked  the page that asks what to plan for rows of an admin's list: of that `ModelAdmin`,
                 the request and the rows; None where it told the user why not
    unanswered   copies elsewhere of purged rows of which nobody has said in time that they are gone
    left_events  of a row, beside events of these numbers: those that have left the table
    rebuild      this app's own projections, again from the ledger
    strayed      what of them is not what the ledger says: the event, the model, what is wrong
    """

    make_pass: Callable[[str], None]
    last_runs: Callable[[str], Runs]
    standstills: Callable[[str], Standstills] = lambda using: {}
    slowed: Callable[[str], Slowed] = lambda using: {}
    verify_log: Callable[[str, bool], LogCheck] = _no_log
    left_events: Callable[[type[Model], str, Sequence[int], str], list[Any]] = _none_left
    certificate: Callable[[type[Model], str, str], tuple[str, bytes]] = _no_certificate
    facts: Callable[[str], list[Fact]] = lambda using: [NOBODY]
    measures: Callable[[], Measures | None] = lambda: None
    plan_ticked: Callable[[Any, Any, Any], Any] | None = None
    rebuild: Callable[[str], None] = lambda using: None
    strayed: Callable[[str], Strayed] = lambda using: []
    unanswered: Callable[[str], list[str]] = lambda using: []


_registered: list[ActingApp] = []


def register_acting_app(app: ActingApp) -> None:
    """Take the app that ends rows; the last one counts."""
    _registered[:] = [app]


def make_pass(using: str) -> None:
    """End what is due; `LifecycleError` where no app of this project does that."""
    if not _registered:
        raise LifecycleError(NO_APP)
    _registered[0].make_pass(using)


def last_runs(using: str) -> Runs:
    """By policy; none where no app of this project ends rows."""
    return _registered[0].last_runs(using) if _registered else {}


def standstills(using: str) -> Standstills:
    """By policy; none where no app of this project ends rows."""
    return _registered[0].standstills(using) if _registered else {}


def slowed(using: str) -> Slowed:
    """By policy; none where no app of this project ends rows."""
    return _registered[0].slowed(using) if _registered else {}


def certificate(model: type[Model], key: str, using: str) -> tuple[str, bytes]:
    """Of a row that has ended: the name of a file, and its content; `LifecycleError`: why none."""
    if not _registered:
        return _no_certificate(model, key, using)
    return _registered[0].certificate(model, key, using)


def facts(using: str) -> list[Fact]:
    """How what acts stands; that nothing does, where no app of this project ends rows."""
    return _registered[0].facts(using) if _registered else [NOBODY]


def measures() -> Measures | None:
    """What to ask for metrics of workers; None where no app of this project ends rows."""
    return _registered[0].measures() if _registered else None


def plan_ticked() -> Callable[[Any, Any, Any], Any] | None:
    """What leads from rows that were ticked to a plan; None where no app has plans."""
    return _registered[0].plan_ticked if _registered else None


def unanswered(using: str) -> list[str]:
    """What was told of purged rows and not answered in time; none where no app ends rows."""
    return _registered[0].unanswered(using) if _registered else []


def verify_log(using: str, deep: bool) -> LogCheck:
    """The ledger against its log; where no app of this project publishes it, that is said."""
    return _registered[0].verify_log(using, deep) if _registered else _no_log(using, deep)


def left_events(model: type[Model], key: str, known: Sequence[int], using: str) -> list[Any]:
    """Events about a row that have left the table; `LifecycleError` where they cannot be read."""
    return _registered[0].left_events(model, key, known, using) if _registered else []


def rebuild(using: str) -> None:
    """Make again from the ledger what the app that acts has made of it."""
    if _registered:
        _registered[0].rebuild(using)


def strayed(using: str) -> Strayed:
    """What the app that acts has made of the ledger, and is not what it says."""
    return _registered[0].strayed(using) if _registered else []
