"""A policy in words: which rows end, when, how, what keeps them, what its brakes are."""

from datetime import timedelta
from typing import Any

from lifecycle.insight.words import condition, moment, span
from lifecycle.policy.capture_modes import Signals, Window
from lifecycle.policy.dispositions import Archive, Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import hours_of
from lifecycle.policy.stages import stages_of, when_of


def which(policy: Policy) -> str:
    """Which rows can end."""
    label, asked = policy.model._meta.label, condition(when_of(policy))
    return f"Rows of {label} where {asked}." if asked else f"All rows of {label}."


def when(policy: Policy) -> str:
    """At which moment."""
    if policy.on_request:
        return "Only when somebody asks for it: by an erasure, or by hand."
    text = f"At {moment(policy.expires)}; where that is empty, never."
    if isinstance(policy.capture, Window):
        text += f" Rows of one {policy.capture.unit} of UTC end together, when it is over."
    return text


def stages(policy: Policy) -> str:
    """Which of several ends it is, and the others; '' of a policy with one end."""
    found = stages_of(policy)
    if found is None:
        return ""
    ends = [f"{each.name} {moment(each.expires)}" for each in found.policies]
    return f"{stage(policy)}: {', then '.join(ends)}."


def stage(policy: Policy) -> str:
    """Which of several ends it is; '' of a policy with one end."""
    found = stages_of(policy)
    if found is None:
        return ""
    names = [each.name for each in found.policies]
    return f"{names.index(policy.name) + 1} of {len(names)} ends of {found.name}"


def grace(policy: Policy) -> str:
    """How long a row can still be brought back."""
    if policy.grace == timedelta(0):
        return "None: a row that falls due goes with the next pass."
    is_span = isinstance(policy.grace, timedelta)
    time = span(policy.grace) if is_span else f"By the row: {moment(policy.grace)}"  # type: ignore[arg-type]
    return f"{time}. So long a row that is past its end is tombstoned, and can be restored."


def ending(policy: Policy) -> str:
    """How."""
    disposition: Any = policy.disposition
    if isinstance(disposition, Update):
        columns = ", ".join(disposition.values)
        return f"The row stays; its columns {columns} are set."
    if isinstance(disposition, Archive):
        formats = ", ".join(disposition.formats)
        return (
            f"The row is written into an archive under {disposition.prefix} ({formats}), that is "
            "read back and compared, and then the row is deleted."
        )
    return "The row is deleted, with what goes along by on_delete."


def kept(policy: Policy) -> str:
    """What keeps a row that is due."""
    if policy.keep_while is None:
        return "Nothing but a hold or a restore."
    unnamed: Any = policy.keep_while
    said = [f"{name}: {condition(each)}" for name, each in policy.conditions.items()]
    said = said or [condition(unnamed)]
    return f"While {'; or '.join(said)}. Looked at again every {span(policy.recheck)}."


def basis(policy: Policy) -> str:
    """Why, as the site says."""
    return policy.basis or "None is declared."


def brakes(policy: Policy) -> str:
    """What stops a mistake before it is large, and at which hours rows go."""
    text = (
        f"At most {policy.cap_rows:,} rows or {policy.cap_fraction:.0%} of the table, whichever is "
        "more, in any 24 hours; one more halts the policy before the first row goes."
    )
    hours = hours_of(policy)
    if hours:
        text += f" Rows go between {hours[0]}:00 and {hours[1]}:00 of the site's clock."
    return text


def seen(policy: Policy) -> str:
    """How the ledger learns of writes, and what a hold stops."""
    text = "By triggers: every write is seen."
    if isinstance(policy.capture, Signals):
        text = f"By signals: {', '.join(Signals.blind_to)} are not seen."
    enforced = "A hold also stops the site's own DELETE."
    engine = "A hold stops this package, and not the site's own DELETE."
    return f"{text} {enforced if policy.holds == 'enforced' else engine}"
