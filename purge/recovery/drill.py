"""Try a recovery: the newest dump into a scratch database, history put back, verified, reported.

Nothing ends, not even there: code of the site that hears of endings would act on the live site. No
file and no archive is deleted, nothing is published, and the live database is not written to.
"""

from dataclasses import dataclass
from pathlib import Path

from lifecycle.hooks import LogCheck
from purge.proof import gate
from purge.proof.options import ProofOptions
from purge.proof.verify import verify
from purge.recovery.lock import alone
from purge.recovery.recover import recover
from purge.recovery.report import RestoreReport, drill_report
from purge.recovery.scratch import restored

ACTOR = "drill"


@dataclass(frozen=True)
class Drilled:
    """What a drill has found: its report, and what the log's verification says."""

    report: RestoreReport
    checked: LogCheck

    @property
    def problems(self) -> list[str]:
        """What a recovery from this dump would stumble over."""
        return [*self.checked.problems, *self.checked.unread]


def drill(using: str, options: ProofOptions, dump: Path, scratch: str = "") -> Drilled:
    """Do it. Raises `LifecycleError` and `ProofError` where a recovery would."""
    with restored(using, dump, scratch), alone(using, online=True):
        recover(using, options, ACTOR, lambda events: None)
        with gate.opened(using):
            report = drill_report(using, options)
        checked = verify(using, options, deep=True)
    # The alarm that stands until rows have ended again is no problem of the log.
    standing = f"{report.origin}: restored: "
    checked.problems = [each for each in checked.problems if not each.startswith(standing)]
    return Drilled(report, checked)
