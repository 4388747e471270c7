"""A restore report as text, as data for programs, as a page; each with the log's signature."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lifecycle.printable import in_utc, visible
from lifecycle.proof.note import sign
from purge.proof.options import ProofOptions
from purge.recovery.ends import SAID, LostEnd, LostEnds
from purge.recovery.report import DRILL, RECOVERED, RECOVERING, RESTORED, Counted, RestoreReport
from purge.replay.model import VERDICTS
from purge.reports.texts import rendered

SHOWN = 100  # rows that are named
NEXT = "`manage.py purge --replay --from-proof` puts it back and ends again what had ended"
UNKNOWN = "not known: LIFECYCLE_BACKUP_MAX_AGE is not set"


def signed(report: RestoreReport, options: ProofOptions) -> str:
    """The report as a C2SP signed note under the log's name: no line of it can be changed."""
    number = int(report.origin.rpartition("/")[2])
    return sign(as_text(report), options.signer_of(number)).encode().decode()


def as_text(report: RestoreReport) -> str:
    """For people. The second line is no number, so that it is no checkpoint."""
    parts = [f"Restore report\n{report.origin}, database {visible(report.database)}"]
    parts.append("\n".join(f"{name}: {said}" for name, said in heads(report)))
    for title, lines in sections(report):
        parts.append("\n".join([f"{title}:", *(f"  {line}" for line in lines or ["nothing"])]))
    return "\n\n".join(parts) + "\n"


def heads(report: RestoreReport) -> Iterator[tuple[str, str]]:
    """What the report says first, by name."""
    yield "Issued", in_utc(report.issued)
    yield "State", f"{report.state}: {visible(report.text)}"
    yield "Published", f"{report.size} events, root {report.root}"
    yield "Backup", f"has {report.kept} of them, {report.missing} are missing in it"
    if report.recovered_at:
        at, who = in_utc(report.recovered_at), visible(report.actor) or "nobody named"
        yield "Put back", f"{report.missing} events, {at}, by {who} (event {report.event})"
    if report.moved:
        first, last, by = report.moved
        yield "Moved", f"events {first} to {last}, written since the restore, by {by}"
    if report.state in (RESTORED, RECOVERING):
        yield "Next", NEXT
    expires = report.backups_expire
    yield "Backups expire", f"on {in_utc(expires)}" if expires else UNKNOWN


def sections(report: RestoreReport) -> Iterator[tuple[str, list[str]]]:
    """Titles with their lines."""
    yield "Undone by the restore", list(map(_line, report.undone))
    if report.state in (RECOVERED, RECOVERING):
        yield "Ended again", list(map(_line, report.again))
    if report.left:
        words = _WORDS | {"ended": "would end again"} if report.state == DRILL else _WORDS
        yield "Of all endings, rows", [f"{report.left[each]} {words[each]}" for each in VERDICTS]
        yield "Left", [_row(row) for row in report.rows[:SHOWN]] + _more(report)
        yield "Rows of tables that have no policy any more, and may have ended", [
            visible(f"{model}: {rows}") for model, rows in report.undeclared.items()
        ]  # fmt: skip
        yield "Ends that the backup has otherwise", list(map(_ends, report.ends.counts))
        yield "Rows of them", list(map(_lost, report.ends.rows[:SHOWN]))
        yield "Files that nobody can tell", [f"{report.files_unsure}"]
        yield "Rows whose file is gone", [
            f"{report.incomplete.count}", *map(visible, report.incomplete.examples)
        ]  # fmt: skip


_WORDS = {
    "ended": "are there again: replay them", "gone": "are gone", "newer": "are newer rows, kept",
    "held": "are held", "blocked": "are blocked", "unsure": "are unsure",
}  # fmt: skip


def _line(counted: Counted) -> str:
    by = f" by {counted.policy}" if counted.policy else ""
    of = f" of {counted.model}" if counted.model else ""
    return visible(f"{counted.kind}{by}{of}: {counted.rows} rows, {counted.events} events")


def _ends(counted: LostEnds) -> str:
    rows = f"{counted.rows} rows of {counted.model} by {counted.policy}"
    return visible(f"{rows} {SAID[counted.says]}")


def _lost(row: LostEnd) -> str:
    when = f": {in_utc(row.ends)}" if row.ends else ""
    return visible(f"{row.says} {row.name} by {row.policy} (event {row.event}){when}")


def _row(row: Any) -> str:
    return visible(f"{row.verdict} {row.name} (event {row.event}): {row.why}".rstrip(": "))


def _more(report: RestoreReport) -> list[str]:
    more = len(report.rows) - SHOWN
    return [f"and {more} more at least: --json names them"] if more > 0 else []


def as_data(report: RestoreReport, options: ProofOptions) -> dict[str, Any]:
    """For programs: all of it, and the signed note that people read."""
    return asdict(report) | {"missing": report.missing, "note": signed(report, options)}


def as_html(report: RestoreReport, options: ProofOptions) -> str:
    """A page of its own, with the note at its end; all names are escaped."""
    context = {
        "title": f"Restore report of {report.origin}", "heads": list(heads(report)),
        "sections": list(sections(report)), "note": signed(report, options),
    }  # fmt: skip
    return rendered("purge/restore_report.html", **context)
