"""How worker, log and archives of a database stand: what the admin's first page says of them.

Of what the database has: nothing is asked of a store, a witness or the queue.
"""

from datetime import datetime, timedelta

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.hooks import Fact
from lifecycle.printable import in_utc
from lifecycle.sealing.log import Log, read_log
from purge.models import Alert
from purge.open_requests import OpenRequests, open_requests
from purge.outbox import backlog
from purge.plans.refusals import LASTS

SILENT = timedelta(minutes=5)  # a worker looks once a minute


def facts(using: str) -> list[Fact]:
    """Worker, alerts, requests, plans, sealed log, archives, copies elsewhere."""
    ((seen, now, passes, open_alerts),) = fetch(using, statement(__file__, "worker"))
    plans = fetch(using, statement(__file__, "plans"), {"lasts": LASTS})[0]
    return [
        _worker(seen, now, passes), _alerts(open_alerts), _requests(open_requests(using)),
        _plans(*plans), _log(using), _archives(using), *backlog.facts(using),
    ]  # fmt: skip


def _worker(seen: datetime | None, now: datetime, passes: int) -> Fact:
    under_way = f" Passes under way: {passes}." if passes else ""
    if seen is None:
        text = "No worker has been here yet: `manage.py run_huey` is one."
        return Fact("Worker", text, True)
    silent = now - seen
    if silent > SILENT:
        ago = timedelta(seconds=int(silent.total_seconds()))
        text = f"None has looked since {in_utc(seen)} ({ago} ago): does `manage.py run_huey` run?"
        return Fact("Worker", text + under_way, True)
    return Fact("Worker", f"Looked at {in_utc(seen)}.{under_way}")


def _alerts(found: list[str]) -> Fact:
    if not found:
        return Fact("Alerts", "None is open.")
    kinds = {str(kind.value): str(kind.label) for kind in Alert.Kind}
    said = (each.partition(" ") for each in found)
    return Fact(
        "Alerts", "Open: " + ", ".join(f"{n} {kinds.get(kind, kind)}" for n, _, kind in said)
    )


def _requests(found: list[OpenRequests]) -> Fact:
    if not found:
        return Fact("Requests", "None for an erasure is open.")
    waiting, overdue = sum(each.open for each in found), sum(each.overdue for each in found)
    due = min(each.first_due for each in found)
    late = f", {overdue} OVERDUE: `manage.py lifecycle requests --overdue`" if overdue else ""
    return Fact("Requests", f"Open: {waiting}, the first due {in_utc(due)}{late}.", bool(overdue))


def _plans(made: int, applying: int) -> Fact:
    said = [f"{n} {words}" for n, words in ((made, "to apply"), (applying, "being applied")) if n]
    return Fact("Plans", f"{', '.join(said)}." if said else "None waits.")


def _log(using: str) -> Fact:
    if not conf.PROOF:
        return Fact("Sealed log", "Not sealed: LIFECYCLE_PROOF is not set.")
    log = read_log(using)
    if log is None:
        return Fact("Sealed log", "Nothing is sealed yet: a worker begins the log.", True)
    if log.alarm:
        text = f"{log.alarm['kind']}: {log.alarm['text']}: {log.alarm['command']}"
        return Fact("Sealed log", text, True)
    return Fact("Sealed log", _shipped(log))


def _shipped(log: Log) -> str:
    waits = log.size - log.shipped
    waiting = f", {waits:,} wait to be published" if waits else ""
    return f"{log.size:,} events sealed, {log.shipped:,} published{waiting}."


def _archives(using: str) -> Fact:
    ((under_way, failing),) = fetch(using, statement(__file__, "archives"))
    if not under_way:
        return Fact("Archives", "None is under way.")
    failed = f", {failing} could not be made and are tried again" if failing else ""
    return Fact("Archives", f"Under way: {under_way}{failed}.", bool(failing))
