"""How worker, log and archives of a database stand: what the admin's first page says of them.

Of what the database has: nothing is asked of a store, a witness or the queue.
"""

from datetime import datetime, timedelta

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.hooks import Fact
from lifecycle.phrases import at, joined, lasting, number, phrase, word
from lifecycle.sealing.log import Log, read_log
from purge.erasure import archived_backlog
from purge.models import Alert
from purge.notices import backlog as notices
from purge.open_requests import OpenRequests, open_requests
from purge.outbox import backlog
from purge.plans.refusals import LASTS

#: open ones, by their kind
ALERTS: dict[str, str] = {
    Alert.Kind.HALTED: phrase("halted"),
    Alert.Kind.BLOCKED: phrase("blocked"),
    Alert.Kind.CAPTURE_FAILED: phrase("capture failed"),
    Alert.Kind.LAGGING: phrase("lagging"),
    Alert.Kind.HELD_DELETED: phrase("held rows deleted by the site"),
    Alert.Kind.PROOF_ALARM: phrase("the ledger is not what was published"),
    Alert.Kind.OVERDUE: phrase("requests past their deadline"),
}
SILENT = timedelta(minutes=5)  # a worker looks once a minute


def facts(using: str) -> list[Fact]:
    """Worker, alerts, requests, plans, sealed log, archives, copies elsewhere, notices."""
    ((seen, now, passes, open_alerts),) = fetch(using, statement(__file__, "worker"))
    plans = fetch(using, statement(__file__, "plans"), {"lasts": LASTS})[0]
    return [
        _worker(seen, now, passes), _alerts(open_alerts), _requests(open_requests(using)),
        _plans(*plans), _log(using), _archives(using), *archived_backlog.facts(using),
        *backlog.facts(using), *notices.facts(using),
    ]  # fmt: skip


def _worker(seen: datetime | None, now: datetime, passes: int) -> Fact:
    part = phrase("Worker")
    if seen is None:
        return Fact(part, phrase("No worker has been here yet: `manage.py run_huey` is one."), True)
    silent, said = now - seen, phrase("Looked at %(time)s.", time=at(seen))
    if silent > SILENT:
        said = phrase(
            "None has looked since %(time)s (%(ago)s ago): does `manage.py run_huey` run?",
            time=at(seen),
            ago=lasting(timedelta(seconds=int(silent.total_seconds()))),
        )
    under_way = [phrase("Passes under way: %(passes)s.", passes=passes)] if passes else []
    return Fact(part, joined(" ", [said, *under_way]), silent > SILENT)


def _alerts(found: list[str]) -> Fact:
    if not found:
        return Fact(phrase("Alerts"), phrase("None is open."))
    said = (each.partition(" ") for each in found)
    counts = joined(", ", [joined(" ", [n, ALERTS.get(kind, kind)]) for n, _, kind in said])
    return Fact(phrase("Alerts"), phrase("Open: %(alerts)s", alerts=counts))


def _requests(found: list[OpenRequests]) -> Fact:
    if not found:
        return Fact(phrase("Requests"), phrase("None for an erasure is open."))
    waiting, overdue = sum(each.open for each in found), sum(each.overdue for each in found)
    due = min(each.first_due for each in found)
    said = phrase("Open: %(open)s, the first due %(time)s.", open=waiting, time=at(due))
    if overdue:
        said = phrase(
            "Open: %(open)s, the first due %(time)s, %(overdue)s OVERDUE: "
            "`manage.py lifecycle requests --overdue`.",
            open=waiting,
            time=at(due),
            overdue=overdue,
        )
    return Fact(phrase("Requests"), said, bool(overdue))


def _plans(made: int, applying: int) -> Fact:
    said = [phrase("%(plans)s to apply", plans=made)] if made else []
    said += [phrase("%(plans)s being applied", plans=applying)] if applying else []
    told = joined("", [joined(", ", said), "."]) if said else phrase("None waits.")
    return Fact(phrase("Plans"), told)


def _log(using: str) -> Fact:
    part = phrase("Sealed log")
    if not conf.PROOF:
        return Fact(part, phrase("Not sealed: LIFECYCLE_PROOF is not set."))
    log = read_log(using)
    if log is None:
        return Fact(part, phrase("Nothing is sealed yet: a worker begins the log."), True)
    if log.alarm:
        kind, text = word(log.alarm["kind"]), log.alarm["text"]
        return Fact(part, joined(": ", [kind, text, log.alarm["command"]]), True)
    return Fact(part, _shipped(log))


def _shipped(log: Log) -> str:
    waits = log.size - log.shipped
    about = {"sealed": number(log.size), "published": number(log.shipped)}
    if not waits:
        return phrase("%(sealed)s events sealed, %(published)s published.", **about)
    return phrase(
        "%(sealed)s events sealed, %(published)s published, %(waiting)s wait to be published.",
        waiting=number(waits),
        **about,
    )


def _archives(using: str) -> Fact:
    ((under_way, failing, lost),) = fetch(using, statement(__file__, "archives"))
    said = [_under_way(under_way, failing)]
    said += [phrase("Declared lost: %(archives)s.", archives=lost)] if lost else []
    return Fact(phrase("Archives"), joined(" ", said), bool(failing))


def _under_way(count: int, failing: int) -> str:
    if not count:
        return phrase("None is under way.")
    if failing:
        return phrase(
            "Under way: %(archives)s, %(failing)s could not be made and are tried again.",
            archives=count,
            failing=failing,
        )
    return phrase("Under way: %(archives)s.", archives=count)
