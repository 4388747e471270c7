"""Sending the mails that warn of ends: one at a time, the one that has waited longest first.

That a mail is begun is committed before it is sent, and that it went at once after: whoever is
killed in between has it sent once more when the lease is over. A row does not end before all of its
mails are recorded, so a mail server that is away holds up ends, and a mail that is lost with a
worker shortens no time. What is wrong with an address is told from what is wrong with the server:
the former is waived, and recorded; the latter is tried again for as long as it takes.
"""

import re
import smtplib
import time
from datetime import timedelta
from threading import Event
from typing import Any

from django.db import connections

from lifecycle.db.connection import own_transaction
from lifecycle.ledger.row_names import rows_of_key
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from purge.alerts.mail import patient
from purge.back_off import back_off
from purge.batch.brakes import why_stopped
from purge.notices.message import message, recipient
from purge.notices.record import Line, claim, drop, lock_row, note_sent, put_off, write_of
from purge.notices.wanted import Wanted, clock, forget_others, note, wanted, warning_policies

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
TRIES = 5  # after which a server that refuses an address and does not say why means it
NO_ADDRESS, REFUSED = "no address", "refused"  # why a mail is waived
#: RFC 3463: of the status of a refusal, that there is no such address (5.1.x, but for those of the
#: sender), or that its mailbox takes nothing any more
DEAD = re.compile(rb"5\.(1\.(1|2|3|6|10)|2\.1)\b")
OURS = re.compile(rb"5\.(1\.(7|8)|7\.\d+)\b")  # what is wrong with who sends
IN_A_ROW = 10  # mails that fail one after the other: then it is none of theirs

log = Log("purge")


class Refused(Exception):
    """The server takes no mail for this address now."""


class Failed(Exception):
    """A mail did not go, or is not recorded."""


class NotSent(Exception):
    """The site's mail backend has raised nothing, and says that it has sent nothing."""


class Away(Exception):
    """The mail server takes nothing now, for whomever."""


def send_due(using: str, deadline: float | None = None) -> int:
    """Find the mails for which it is time and send them: `find_wanted` and `send_found`."""
    find_wanted(using)
    return send_found(using, deadline)


def find_wanted(using: str) -> None:
    """Write down the mails for which it is time, by all rows that end soon or wait for theirs;
    those of policies that give none any more are forgotten."""
    forget_others(using)
    for policy in warning_policies(using):
        _find(policy, using)


def send_found(using: str, deadline: float | None = None, over: Event | None = None) -> int:
    """Send what is written down; begins no mail after `deadline`, of the monotonic clock, nor once
    it is `over`. Returns how many went.

    What fails is logged by its kind and tried again; where the server is away, or one after the
    other fails, all others wait.
    """
    policies = {each.name: each for each in warning_policies(using)}
    done = failed = 0
    while policies and failed < IN_A_ROW and not (over and over.is_set()):
        if deadline is not None and time.monotonic() >= deadline:
            break
        line = claim(list(policies), using)
        if line is None:
            break
        if why_stopped(policies[line.policy], using, any_hour=True):  # since we began
            put_off(line, using, timedelta(0), "")
            del policies[line.policy]
            continue
        try:
            done += _tell(policies[line.policy], line, using)
            failed = 0
        except Away:
            break
        except Failed:
            failed += 1
    return done


def _find(policy: Policy, using: str) -> None:
    """Write down the mails of one policy. Whose rows cannot be read holds up no other's."""
    try:
        note(policy, using)
    except Exception:
        connections[using].close_if_unusable_or_obsolete()
        log(
            "notices_failed", f"{policy.name}: nobody knows which notices are wanted",
            policy=policy.name, database=using,
        )  # fmt: skip


def _tell(policy: Policy, line: Line, using: str) -> bool:
    """Whether a mail went. Raises `Away` and `Failed`."""
    try:
        return _mail(policy, line, using)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what ends the thread would end all mails
        connections[using].close_if_unusable_or_obsolete()
        wait = back_off(FIRST_WAIT, LONGEST_WAIT, line.attempts - 1)
        put_off(line, using, wait, type(error).__name__)
        log(
            "notice_failed", f"{policy.name}: a notice did not go: {type(error).__name__}",
            policy=policy.name, database=using,
        )  # fmt: skip
        raise (Away if _is_away(error) else Failed) from error


def _is_away(error: BaseException) -> bool:
    """Not what the server has answered about one mail. Its other errors are of the connection, of
    who we are, or of the sender."""
    return isinstance(error, OSError) and not isinstance(error, smtplib.SMTPDataError)


def _mail(policy: Policy, line: Line, using: str) -> bool:
    with own_transaction(using):
        now, row = clock(using), rows_of_key(policy.model, line.key, using).first()
        asked = wanted(policy, line.key, using, now) if row is not None else None
        if asked is None or (asked.ends, asked.number) != (line.ends, line.number):
            drop(line, using)
            return False
        to = recipient(policy, row)
        mail = message(policy, row, line.key, using, asked, asked.may_end(now), to) if to else None
    why = ""
    if not line.sent:
        why = _sent(mail, line) if mail else NO_ADDRESS
        if not why:
            note_sent(line, using)
    _record(policy, line, asked, why, using)
    return not why


def _sent(mail: Any, line: Line) -> str:
    """Send it; why it was waived, '' where it went. Raises what is not the address's fault."""
    try:
        if patient().send_messages([mail]) == 0:
            raise NotSent
    except smtplib.SMTPRecipientsRefused as error:
        answers = list(error.recipients.values())
        if not answers or not _is_dead(*answers[0], line.attempts):
            raise Refused from None
        return REFUSED
    except Exception as error:
        names = {each.__name__ for each in type(error).__mro__}
        if "AnymailRecipientsRefused" not in names:  # of a mail service, which has looked
            raise
        return REFUSED
    return ""


def _is_dead(code: int, answer: Any, attempts: int) -> bool:
    text = answer if isinstance(answer, bytes) else str(answer).encode()
    if not 500 <= code <= 599 or OURS.search(text):
        return False
    return bool(DEAD.search(text)) or attempts >= TRIES


def _record(policy: Policy, line: Line, asked: Wanted, why: str, using: str) -> None:
    """That the mail went, or was waived; where the row's end was moved meanwhile, that it counts
    no more."""
    with own_transaction(using):
        if lock_row(policy, line.key, using):
            now = clock(using)
            again = wanted(policy, line.key, using, now)
            until = asked.may_end(now)
            detail: dict[str, Any] = {"mail": asked.number, "of": asked.of}
            detail |= {"ends": asked.ends.isoformat(), "until": until.isoformat()}
            detail |= {"waived": why} if why else {}
            is_same = again is not None and again.ends == asked.ends
            detail |= {} if is_same else {"over": True}
            due = until if is_same and until > asked.ends else None
            write_of(policy, using, line.key, detail, due)
        drop(line, using)
