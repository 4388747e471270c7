"""What a restore has undone, what has ended again since, what was kept, and what nobody can tell.

    restored     the ledger is shorter than what was published, or another: nothing is put back yet
    recovering   history is being put back; what had ended is not ended again yet
    recovered    all is done, by the last recovery that the ledger knows of
    drill        in a scratch database all is put back; what would end again

Names tables, policies and counts; of rows that are left, their keys. Changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.sealing.log import Log, read_log
from purge.media import replay as media
from purge.proof.detect import State, decide
from purge.proof.options import ProofOptions
from purge.proof.ship import store_of
from purge.recovery.ends import Ends, lost_ends
from purge.recovery.stages import recovered_of, recovery_of
from purge.recovery.survey import Totals, fields_of, published, survey
from purge.replay.model import BEGINNING, VERDICTS, LeftRow, Recovered, Replay, Report
from purge.replay.plan import forget, plan

RESTORED, RECOVERING, RECOVERED, DRILL = "restored", "recovering", "recovered", "drill"


@dataclass(frozen=True)
class Counted:
    """Events of a kind, under a policy, of a table: how many, and rows of theirs."""

    kind: str
    policy: str
    model: str
    events: int
    rows: int


@dataclass
class RestoreReport:
    """See above. `left` counts the rows that a replay would leave now, by its verdict."""

    database: str
    origin: str
    state: str
    text: str
    issued: datetime
    size: int
    root: str
    kept: int
    event: int | None = None
    recovered_at: datetime | None = None
    actor: str = ""
    moved: list[int] = field(default_factory=list)
    undone: list[Counted] = field(default_factory=list)
    again: list[Counted] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    rows: list[LeftRow] = field(default_factory=list)
    files_unsure: int = 0
    incomplete: media.Lost = field(default_factory=media.Lost)
    ends: Ends = field(default_factory=Ends)
    undeclared: dict[str, int] = field(default_factory=dict)
    backups_expire: datetime | None = None

    @property
    def missing(self) -> int:
        """The published events that the backup did not have."""
        return self.size - self.kept


def restore_report(using: str, options: ProofOptions) -> RestoreReport:
    """The report of one database. `LifecycleError` where no restore is known of."""
    log = read_log(using)
    number = scalar(using, statement(__file__, "recovered"))
    event = Event.objects.using(using).filter(pk=number).first() if log else None
    found = decide(using, options)
    if log and recovery_of(log) and event:
        return _recovered(using, options, log, event, RECOVERING, found.text)
    if found.state in (State.RESTORED, State.FORKED):
        return _restored(using, options, found.text)
    if log is None or event is None:
        raise LifecycleError("This ledger was not restored, as far as it and its log tell.")
    report = _recovered(using, options, log, event, RECOVERED, "what had ended has ended again")
    _look(using, report, _replayed(log, event, report))
    return report


def drill_report(using: str, options: ProofOptions) -> RestoreReport:
    """The report of a database in which all is put back, and nothing has ended again."""
    log = read_log(using)
    number = scalar(using, statement(__file__, "recovered"))
    event = Event.objects.using(using).filter(pk=number).first()
    if log is None or event is None:
        text = "the dump has all that is published"
        report = _restored(using, options, text)
        report.state = DRILL
        return report
    text = "all is put back; nothing was ended, in this database or elsewhere"
    report = _recovered(using, options, log, event, DRILL, text)
    _look(using, report, recovered_of(log, using, untouched=True))
    return report


def _now(using: str) -> datetime:
    now: datetime = scalar(using, "SELECT lifecycle.now_v1()")
    return now


def _restored(using: str, options: ProofOptions, text: str) -> RestoreReport:
    found = survey(using, options)
    head = found.head
    return RestoreReport(
        using, head.origin, RESTORED, text, _now(using), head.size, head.root.hex(), found.common,
        undone=_counted(found.totals),
    )  # fmt: skip


def _recovered(
    using: str, options: ProofOptions, log: Log, event: Event, state: str, text: str
) -> RestoreReport:
    origin, size, root = str(event.detail["previous"]).split()
    kept, totals = int(event.detail["kept"]), Totals()
    for entry in published(store_of(options, log), kept, int(size)):
        totals.add(fields_of(entry))
    report = RestoreReport(
        using, origin, state, text, _now(using), int(size), root, kept, event.pk,
        event.recorded_at, event.actor, list(event.detail.get("moved", [])), _counted(totals),
    )  # fmt: skip
    params = {"event": event.pk}
    report.again = [Counted(*row) for row in fetch(using, statement(__file__, "again"), params)]
    if conf.BACKUP_MAX_AGE is not None:
        report.backups_expire = event.recorded_at + timedelta(seconds=conf.BACKUP_MAX_AGE)
    return report


def _counted(totals: Totals) -> list[Counted]:
    return [
        Counted(*told, events, totals.rows[told]) for told, events in sorted(totals.events.items())
    ]


def _replayed(log: Log, event: Event, report: RestoreReport) -> Recovered:
    """What was put back, for a replay's search; `top`, the highest of its numbers."""
    first = report.moved[0] + report.moved[2] if report.moved else event.pk
    return Recovered(log.incarnation, report.kept, report.size, first - 1)


def _look(using: str, report: RestoreReport, recovered: Recovered | None) -> None:
    """What a replay would do now: it judges every row, ends none, and forgets it."""
    replay = Replay(using, recovered=recovered)
    found: Report = plan(replay)
    forget(replay)
    report.left = {verdict: found.total(verdict) for verdict in VERDICTS}
    report.rows, report.undeclared = found.rows, found.undeclared
    report.files_unsure = media.find(using, BEGINNING, act=False).unsure
    report.incomplete = media.lost(using, BEGINNING)
    if recovered:
        report.ends = lost_ends(using, recovered)
