"""A policy in words: which rows end, when, how, what keeps them, what its brakes are."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from lifecycle.insight.words import condition, moment, span
from lifecycle.phrases import all_of, any_of, joined, number, phrase
from lifecycle.policy.capture_modes import Partitions, Signals, Window
from lifecycle.policy.dispositions import Archive, Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import hours_of
from lifecycle.policy.stages import stages_of, when_of

TOGETHER = {
    "hour": phrase("Rows of one hour of UTC end together, when it is over."),
    "day": phrase("Rows of one day of UTC end together, when it is over."),
    "month": phrase("Rows of one month of UTC end together, when it is over."),
}
WHOLE = phrase("Rows end with their whole partition, when the last one is past that.")


def which(policy: Policy) -> str:
    """Which rows can end."""
    label, asked = policy.model._meta.label, condition(when_of(policy))
    if not asked:
        return phrase("All rows of %(model)s.", model=label)
    return phrase("Rows of %(model)s where %(condition)s.", model=label, condition=asked)


def when(policy: Policy) -> str:
    """At which moment."""
    if policy.on_request:
        return phrase("Only when somebody asks for it: by an erasure, or by hand.")
    text = phrase("At %(moment)s; where that is empty, never.", moment=moment(policy.expires))
    if isinstance(policy.capture, Window):
        return joined(" ", [text, TOGETHER[policy.capture.unit]])
    if isinstance(policy.capture, Partitions):
        return joined(" ", [text, WHOLE])
    return text


def stages(policy: Policy) -> str:
    """Which of several ends it is, and the others; '' of a policy with one end."""
    found = stages_of(policy)
    if found is None:
        return ""
    ends = [joined(" ", [each.name, moment(each.expires)]) for each in found.policies]
    return phrase("%(stage)s: %(ends)s.", stage=stage(policy), ends=one_by_one(ends))


def one_by_one(ends: list[Any]) -> Any:
    """In the order in which they come."""
    first, *later = ends
    return phrase("%(one)s, then %(next)s", one=first, next=one_by_one(later)) if later else first


def stage(policy: Policy) -> str:
    """Which of several ends it is; '' of a policy with one end."""
    found = stages_of(policy)
    if found is None:
        return ""
    names = [each.name for each in found.policies]
    return phrase(
        "%(number)s of %(all)s ends of %(name)s",
        number=names.index(policy.name) + 1,
        all=len(names),
        name=found.name,
    )


def grace(policy: Policy) -> str:
    """How long a row can still be brought back."""
    if policy.grace == timedelta(0):
        if isinstance(policy.capture, Partitions):
            return phrase("None: a partition that falls due goes with the next pass.")
        return phrase("None: a row that falls due goes with the next pass.")
    if isinstance(policy.grace, timedelta):
        time = span(policy.grace)
    else:
        time = phrase("By the row: %(moment)s", moment=moment(policy.grace))
    return phrase(
        "%(time)s. So long a row that is past its end is tombstoned, and can be restored.",
        time=time,
    )


def notice(policy: Policy) -> str:
    """Who is warned before that, and when; '' where nobody is."""
    if policy.notice is None:
        return ""
    sets = [*policy.notice.leads.values()]
    sets += [policy.notice.otherwise] if policy.notice.by else []
    said = dict.fromkeys(_times(leads) for leads in sets)
    times = any_of([*said])
    if not policy.notice.by:
        return phrase("Mails warn of it %(times)s before; it waits for them.", times=times)
    return phrase(
        "Mails warn of it %(times)s before, by %(column)s; it waits for them.",
        times=times,
        column=policy.notice.by,
    )


def _times(leads: Sequence[timedelta]) -> str:
    return all_of([span(each) for each in leads]) if leads else phrase("never")


def ending(policy: Policy) -> str:
    """How."""
    warned = notice(policy)
    return joined(" ", [_ending(policy), warned]) if warned else _ending(policy)


def _ending(policy: Policy) -> str:
    disposition: Any = policy.disposition
    if isinstance(disposition, Update):
        columns = ", ".join(disposition.values)
        return phrase("The row stays; its columns %(columns)s are set.", columns=columns)
    if isinstance(disposition, Archive):
        formats = ", ".join(disposition.formats)
        return phrase(
            "The row is written into an archive under %(prefix)s (%(formats)s), that is "
            "read back and compared, and then the row is deleted.",
            prefix=disposition.prefix,
            formats=formats,
        )
    if isinstance(policy.capture, Partitions):
        return phrase("Its partition is dropped, with all of its rows; the ledger counts them.")
    return phrase("The row is deleted, with what goes along by on_delete.")


def kept(policy: Policy) -> str:
    """What keeps a row that is due."""
    if policy.keep_while is None:
        return phrase("Nothing but a hold or a restore.")
    unnamed: Any = policy.keep_while
    said: list[Any] = [
        joined(": ", [name, condition(each)]) for name, each in policy.conditions.items()
    ]
    return phrase(
        "While %(conditions)s. Looked at again every %(time)s.",
        conditions=or_else(said or [condition(unnamed)]),
        time=span(policy.recheck),
    )


def or_else(said: list[Any]) -> Any:
    """Any of the conditions."""
    first, *others = said
    return phrase("%(one)s; or %(other)s", one=first, other=or_else(others)) if others else first


def basis(policy: Policy) -> str:
    """Why, as the site says."""
    return policy.basis or phrase("None is declared.")


def brakes(policy: Policy) -> str:
    """What stops a mistake before it is large, and at which hours rows go."""
    text = phrase(
        "At most %(rows)s rows or %(share)s of the table, whichever is "
        "more, in any 24 hours; one more halts the policy before the first row goes.",
        rows=number(policy.cap_rows),
        share=f"{policy.cap_fraction:.0%}",
    )
    hours = hours_of(policy)
    if not hours:
        return text
    between = phrase(
        "Rows go between %(begin)s:00 and %(end)s:00 of the site's clock.",
        begin=hours[0],
        end=hours[1],
    )
    return joined(" ", [text, between])


def seen(policy: Policy) -> str:
    """How the ledger learns of writes, and what a hold stops."""
    text = phrase("By triggers: every write is seen.")
    if isinstance(policy.capture, Signals):
        text = phrase("By signals: %(names)s are not seen.", names=", ".join(Signals.blind_to))
    if isinstance(policy.capture, Partitions):
        text = phrase("Not at all: no write is recorded; partitions are found in the catalogue.")
    enforced = phrase("A hold also stops the site's own DELETE.")
    engine = phrase("A hold stops this package, and not the site's own DELETE.")
    return joined(" ", [text, enforced if policy.holds == "enforced" else engine])


def captured_by(policy: Policy) -> str:
    """The same in a word, for programs."""
    words = {Window: "windows", Partitions: "partitions", Signals: "signals"}
    return words.get(type(policy.capture), "triggers")
