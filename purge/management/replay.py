"""`manage.py purge --replay` on the terminal: the plan, the question, the report."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.table import Table

from lifecycle.db.salt import without_salt
from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor, add_yes, agreed
from lifecycle.management.output import console_of, print_table, progress_bar, write_json
from purge.media import replay as media_replay
from purge.media.run import run_media
from purge.passes.options import PassOptions
from purge.passes.runs import close_interrupted
from purge.replay.model import BEGINNING, VERDICTS, Recovered, Replay, Report
from purge.replay.plan import carry_out, check_cap, forget, plan
from purge.requests.restored import back as requests_back
from purge.requests.telling import tell_withheld

SHOWN = 20  # rows that are named on a terminal
OPTIONS = ("since", "allow", "yes", "from_proof")  # that only a replay takes
TITLES = ("ended again", "already gone", "newer row kept", "held", "blocked", "unsure")


def add_options(parser: ArgumentParser) -> None:
    """The options of a replay."""
    parser.add_argument(
        "--replay", action="store_true", help="end again what a backup has brought back"
    )
    parser.add_argument(
        "--from-proof",
        action="store_true",
        help="after a restore of the whole database: take what its ledger is missing from the"
        " published log first",
    )
    parser.add_argument(
        "--online", action="store_true", help="with --from-proof: beside other sessions"
    )  # fmt: skip
    parser.add_argument(
        "--untouched", action="store_true",
        help="with --from-proof: no row was written since the restore, so that rows which nothing"
        " else tells are the backup's",
    )  # fmt: skip
    parser.add_argument("--since", help="only what ended at this time or later (ISO 8601)")
    parser.add_argument("--allow", type=int, default=0, help="rows beyond the cap")
    parser.add_argument("--json", action="store_true", help="for programs; of a replay, its report")
    add_actor(parser)
    add_yes(parser)


def refuse_strays(options: dict[str, Any]) -> None:
    """Raise `LifecycleError` for an option that has no meaning without `--replay`, or with it."""
    if options["replay"] and options["limit"] is not None:
        raise LifecycleError("--limit cannot be combined with --replay.")
    for name in OPTIONS:
        if options[name] and not options["replay"]:
            raise LifecycleError(f"--{name.replace('_', '-')} needs --replay.")
    for name in ("online", "untouched"):
        if options[name] and not options["from_proof"]:
            raise LifecycleError(f"--{name} needs --from-proof.")
    if options["online"] and options["untouched"]:
        raise LifecycleError("--online cannot be combined with --untouched.")
    for name in ("since", "policy"):
        if options["from_proof"] and options[name]:
            raise LifecycleError(f"--{name} cannot be combined with --from-proof.")


def run(
    command: BaseCommand, options: dict[str, Any], using: str, recovered: Recovered | None = None
) -> str:
    """Replay one database; why it did not end everything, in words."""
    since = moment(options["since"]) if options["since"] else BEGINNING
    replay = Replay(
        using, options["policy"], since, options["actor"], options["allow"], options["dry_run"],
        recovered,
    )  # fmt: skip
    with _progress(command, replay):
        report = plan(replay)
        by_policy = bool(options["policy"])  # media are of none
        files = media_replay.Files() if by_policy else media_replay.find(using, since, act=False)
    report.files = files
    try:
        confirmed = _confirmed(command, replay, report, options)
    except BaseException:
        forget(replay)
        raise
    acting = confirmed and not replay.dry
    if acting:
        with _progress(command, replay):
            report = carry_out(replay)
            report.files = files
            if files.back:
                media_replay.find(using, since, act=True)
                run_media(using, PassOptions("replay", options["actor"], using=using))
        close_interrupted(using)
        # Requests as the ledger has them; what it may not know any more waits for a person.
        tell_withheld(command.stderr.write, requests_back(using, options["actor"]))
    else:
        forget(replay)
    _show(command, report, options, "Replay" if acting else "Dry run of a replay")
    return "\n".join(filter(None, (_failure(report), without_salt(using))))


def moment(text: str) -> datetime:
    """A time in ISO 8601, in the site's zone where it names none; `LifecycleError` otherwise."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise LifecycleError(
            f"--since {text!r} is no time: write 2026-11-21 or 2026-11-21T09:30+00:00."
        ) from error
    when = when if timezone.is_aware(when) else timezone.make_aware(when)
    if when > timezone.now():
        raise LifecycleError(f"--since {text} is in the future: nothing has ended since.")
    return when


def _confirmed(
    command: BaseCommand, replay: Replay, report: Report, options: dict[str, Any]
) -> bool:  # fmt: skip
    """Whether the plan may be carried out: a plan without endings needs no question.

    `LifecycleError` where the answer is no, or the plan is over a cap.
    """
    rows, files = report.total("ended"), report.files.back
    if replay.dry or not (rows or files):
        return True
    check_cap(replay, report)
    if not options["yes"]:
        _show(command, report, options | {"json": False}, "Plan of a replay")
    more = f", delete {files} files again" if files else ""
    if agreed(command, f"End {rows} rows again{more}?", options):
        return True
    raise LifecycleError("Nothing was changed.")


def _show(command: BaseCommand, report: Report, options: dict[str, Any], title: str) -> None:
    if options["json"]:
        write_json(command, as_json(report))
        return
    console = console_of(command)
    if report.files.back or report.files.unsure:
        unsure = f", {report.files.unsure} unsure" if report.files.unsure else ""
        console.print(f"Files: {report.files.back} are back and go again{unsure}.")
        for each in report.files.examples[:SHOWN]:
            console.print(f"unsure {each}: newer than its end; restored, or uploaded again")
    for model, rows in report.undeclared.items():
        console.print(f"{model} has no policy: {rows} rows of it may be back, none is looked at.")
    if not report.counts:
        console.print("The ledger has ended nothing.")
        return
    print_table(console, _table(report, title))
    for row in report.rows[:SHOWN]:
        console.print(f"{row.verdict} {row.name} (event {row.event}): {row.why}".rstrip(": "))
    if len(report.rows) > SHOWN:
        console.print(f"and more: --json names the first {len(report.rows)}")
    for model, event, when in report.emptied:
        console.print(
            f"{model} was emptied at {when:%Y-%m-%d %H:%M:%S} (event {event}): which rows it had"
            " the ledger does not know; none of them is looked at."
        )


def _table(report: Report, title: str) -> Table:
    table = Table(title=title)
    for column in ("model", "ended by", *TITLES):
        table.add_column(column, justify="left" if column in ("model", "ended by") else "right")
    for (model, kind, policy), counts in sorted(report.counts.items()):
        who = f"{policy} ({kind})" if policy else f"the site ({kind})"
        table.add_row(model, who, *(str(counts[verdict]) for verdict in VERDICTS))
    return table


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data; the first rows that were left are named."""
    endings = [
        {"model": model, "kind": kind, "policy": policy} | {v: counts[v] for v in VERDICTS}
        for (model, kind, policy), counts in sorted(report.counts.items())
    ]
    rows = [vars(row) for row in report.rows]
    emptied = [{"model": m, "event": e, "at": at} for m, e, at in report.emptied]
    files = vars(report.files)
    known = {"endings": endings, "rows": rows, "emptied": emptied, "files": files}
    return known | {"undeclared": report.undeclared}


def _failure(report: Report) -> str:
    left = {verdict: report.total(verdict) for verdict in ("blocked", "unsure")}
    counts = [f"{count} {verdict}" for verdict, count in left.items() if count]
    lines = [f"Rows were left: {', '.join(counts)}."] if counts else []
    if report.undeclared:
        lines.append(f"Tables have no policy any more: {', '.join(report.undeclared)}.")
    if report.files.unsure:
        lines.append(f"Files were left: {report.files.unsure} unsure.")
    return "\n".join(lines)


@contextmanager
def _progress(command: BaseCommand, replay: Replay) -> Iterator[None]:
    """How many rows of the ledger, then of those found, were looked at."""
    with progress_bar(console_of(command), "replay") as update:
        replay.progress = lambda rows: update(advance=rows)
        yield
