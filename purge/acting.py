"""What `lifecycle` asks of this package, which it never imports."""

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db.models import Model

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.hooks import ActingApp, Fact, LogCheck, Runs, Standstills, Strayed
from lifecycle.phrases import phrase, word
from lifecycle.policy.registry import all_policies
from lifecycle.printable import visible
from lifecycle.proof.errors import ProofError
from purge.erasure import archived_backlog
from purge.metrics import measures
from purge.notices import backlog as notices
from purge.open_requests import open_requests
from purge.outbox import backlog
from purge.passes.throttle import slowed
from purge.proof.gate import alarm_of
from purge.proof.options import proof_options
from purge.proof.verify import verify

if TYPE_CHECKING:
    from lifecycle.models import Event


def make_pass(using: str) -> None:
    """End what is due in a database, once through; raises `CommandError` as the command does."""
    call_command("purge", database=using, stdout=StringIO())


def last_runs(using: str) -> Runs:
    """By policy: when the last pass began that found something, and the kind of its error."""
    runs = fetch(using, statement(__file__, "last_runs"))
    return {policy: (started, error) for policy, started, error in runs}


def standstills(using: str) -> Standstills:
    """By policy: why the archive cannot be made without which its rows do not go."""
    found = fetch(using, statement(__file__, "unarchived"))
    stopped = {
        policy: [phrase("its rows cannot be archived, and stay: %(error)s", error=visible(error))]
        for policy, error in found
    }
    for each in open_requests(using):
        if each.overdue:
            text = phrase(
                "requests overdue since %(time)s: %(overdue)s: `manage.py lifecycle requests`",
                time=each.since,
                overdue=each.overdue,
            )
            stopped.setdefault(each.policy, []).append(text)
    for copy in backlog.waiting(using, late=True):
        stopped.setdefault(copy.policy, []).append(
            phrase("copies elsewhere: %(copy)s", copy=copy.says)
        )
    for mails in notices.failing(using):
        stopped.setdefault(mails.policy, []).append(
            phrase("notices: %(mails)s; their rows wait", mails=mails.says)
        )
    for name, why in (*notices.stuck(using), *archived_backlog.stuck(using)):
        stopped.setdefault(name, []).append(why)
    if alarm := alarm_of(using):
        text = phrase(
            "%(kind)s since %(since)s: %(text)s: %(command)s",
            kind=word(alarm["kind"]),
            since=alarm["since"],
            text=alarm["text"],
            command=alarm["command"],
        )
        for policy in all_policies():
            stopped.setdefault(policy.name, []).append(text)
    return stopped


def verify_log(using: str, deep: bool) -> LogCheck:
    """The ledger against what was sealed and published of it."""
    options = proof_options()
    if options is None:
        return LogCheck(unread=["LIFECYCLE_PROOF is not set: nothing is published"])
    return verify(using, options, deep)


def left_events(model: type[Model], key: str, known: Sequence[int], using: str) -> "list[Event]":
    """The events about a row that have left the table, as the published log has them."""
    from purge.proof import left  # imports models

    try:
        return left.left_events(model, key, known, using)
    except ProofError as error:
        raise LifecycleError(f"What has left the ledger cannot be read: {error}.") from error


def certificate(model: type[Model], key: str, using: str) -> tuple[str, bytes]:
    """That a row has ended, as a file; its key is a commitment in it."""
    from lifecycle.proof.tlog_proof import SUFFIX
    from purge.certificates.make import certify  # imports models
    from purge.certificates.story import of_row

    try:
        made = certify(of_row(model, key, using), using)
    except ProofError as error:
        raise LifecycleError(f"There is no certificate of it: {error}.") from error
    return made.statement.number.replace("/", "-") + SUFFIX, made.certificate.encode()


def facts(using: str) -> list[Fact]:
    """How worker, log and archives stand."""
    from purge.facts import facts as found  # imports models

    return found(using)


def plan_ticked(page: Any, request: Any, rows: Any) -> Any:
    """The page that asks what to plan for rows that were ticked in the list of an admin."""
    from purge.plans.new import plan_ticked as ask  # a site need not have the admin

    return ask(page, request, rows)


def rebuild(using: str) -> None:
    """The requests for erasure, and what is left of erasures in archives, from the ledger."""
    from purge.erasure import archived  # imports models
    from purge.requests import told

    told.rebuild(using)
    archived.rebuild(using)


def strayed(using: str) -> Strayed:
    """What of the requests for erasure is not what the ledger says."""
    from purge.requests import told  # imports models

    return told.strayed(using)


def unanswered(using: str) -> list[str]:
    """Subscribers that have not answered in time; archives that still have erased rows."""
    return [*backlog.unanswered(using), *archived_backlog.late(using)]


PURGE = ActingApp(
    make_pass, last_runs, standstills, slowed, verify_log, left_events, certificate, facts,
    measures, plan_ticked, rebuild, strayed, unanswered,
)  # fmt: skip
