"""What a link in a notice does when its holder confirms: the row stays.

At most once for each end: who follows it again, or a site that has moved the end meanwhile, finds
that there is nothing to do. It is an event like any other, with cause and actor.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import connections, transaction

from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.context import context
from lifecycle.ledger.row_actions import restore
from lifecycle.ledger.row_names import ledger_key, rows_of_key
from lifecycle.ledger.write import alias_of, lock_row
from lifecycle.models import RowException
from lifecycle.notices.links import Link
from lifecycle.notices.present import present_end
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

CAUSE, ANYBODY = "notice", "holder of the link in a notice"


class Answer(StrEnum):
    """What becomes of a link: `ASK` wants to be confirmed, the others say why there is nothing."""

    ASK = "ask"
    KEPT = "kept"  # just now
    ALREADY = "already"  # its end was moved since the mail, by the link or otherwise
    LATE = "late"
    GONE = "gone"


def policy_of(link: Link) -> Policy | None:
    """The policy of a link, by its name or that of before, where it still gives notices with links
    and is at that database."""
    named = [each for each in all_policies() if link.policy in (each.name, each.previously)]
    found = next((each for each in named if each.name == link.policy), named[0] if named else None)
    known = found and found.notice and found.notice.keep is not None
    return found if known and link.using in connections and is_at(found.model, link.using) else None  # type: ignore[union-attr]


def look(policy: Policy, link: Link) -> Answer:
    """What a link would do; changes nothing."""
    row = rows_of_key(policy.model, link.key, link.using).first()
    return Answer.GONE if row is None else _standing(policy, link)


def keep(policy: Policy, link: Link, actor: str = ANYBODY) -> Answer:
    """Have the row stay, once. Raises `LifecycleError` where the site's function moves no end."""
    with transaction.atomic(using=link.using), context(actor, CAUSE, link.using):
        row = rows_of_key(policy.model, link.key, link.using).first()
        try:
            answer = Answer.GONE if row is None else _locked(policy, link, row)
        except RowMissing:
            return Answer.GONE
        if answer is not Answer.ASK:
            return answer
        _do(policy, link, row)
    return Answer.KEPT


def _locked(policy: Policy, link: Link, row: Any) -> Answer:
    """Of several that come at once, the second finds what the first has done."""
    if alias_of(row) != link.using:  # a router that has another one in its place by now
        return Answer.GONE
    lock_row(row, link.using)
    return _standing(policy, link)


def _standing(policy: Policy, link: Link) -> Answer:
    if _is_ended_by_name(policy, link):
        return Answer.LATE
    ends, now = _present(policy, link)
    if ends is None or ends > link.ends:
        return Answer.ALREADY
    return Answer.LATE if link.until <= now else Answer.ASK


def _present(policy: Policy, link: Link) -> Any:
    stored = ledger_key(policy.model, link.key, link.using)
    return present_end(policy, link.key, stored, link.using)


def _is_ended_by_name(policy: Policy, link: Link) -> bool:
    """Whether a named person has ended the row: no mail was about that, nor takes it back."""
    stored = ledger_key(policy.model, link.key, link.using)
    said = RowException.objects.using(link.using).filter(policy=policy.name, key=stored)
    return said.filter(kind="expired_by_hand").exists()


def _do(policy: Policy, link: Link, row: Any) -> None:
    notice: Any = policy.notice
    if isinstance(notice.keep, timedelta):
        until = _present(policy, link)[1] + notice.keep
        return restore(row, max(until, link.until), policy.name)
    row.refresh_from_db(using=link.using)
    notice.keep(row)
    ends, _ = _present(policy, link)
    if ends is not None and ends <= link.ends:
        raise LifecycleError(f"Policy {policy.name!r}: `keep` of its notice moves no end.")
