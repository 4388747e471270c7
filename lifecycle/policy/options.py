"""What an option of a policy takes, and which options decide something: one list, of `Policy`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q
from django.db.models.expressions import BaseExpression, Combinable

from lifecycle.policy.capture_modes import Capture
from lifecycle.policy.dispositions import Disposition
from lifecycle.policy.groups import KeepNewest
from lifecycle.policy.notice import Notice

Expression = BaseExpression | Combinable
Condition = Q | Expression | KeepNewest

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_LENGTH = 40
LINE_LENGTH = 500
HOLDS = ("engine", "enforced")
#: What an option decides: `CAPTURE` is part of the triggers, so that a change makes a migration;
#: `ENDING` decides which rows end, when and how; nothing else enters a fingerprint.
CAPTURE, ENDING, NOTHING = "capture", "ending", ""


@dataclass(frozen=True)
class Rule:
    """What values an option takes: a test of them, and the words for an error."""

    accepts: Callable[[Any], bool]
    wanted: str


@dataclass(frozen=True)
class Option:
    """An option of `Policy`: its rule, what it decides, and whether it names columns."""

    rule: Rule
    decides: str = NOTHING
    names_columns: bool = False


def option(default: Any, rule: Rule, **meaning: Any) -> Any:
    """An option of `Policy`, as a field of its class."""
    return field(default=default, metadata={"option": Option(rule, **meaning)})


def required(rule: Rule) -> Mapping[str, Any]:
    """The metadata of an argument that has no default."""
    return {"option": Option(rule)}


def options_of(policy_class: Any) -> dict[str, Option]:
    """The arguments of `Policy`, in their order."""
    named: tuple[Field[Any], ...] = fields(policy_class)
    return {each.name: each.metadata["option"] for each in named}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(NAME.fullmatch(value)) and len(value) <= NAME_LENGTH


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= LINE_LENGTH


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Model) and not value._meta.abstract


def _is_moment(value: Any) -> bool:
    return isinstance(value, str | Combinable | BaseExpression)


def _is_grace(value: Any) -> bool:
    return value >= timedelta(0) if isinstance(value, timedelta) else _is_moment(value)


def _is_condition(value: Any) -> bool:
    return isinstance(value, Q) or getattr(value, "conditional", False)


def _keeps(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_condition(value)
    return bool(value) and all(_is_name(name) and _is_condition(v) for name, v in value.items())


def _is_duration(value: Any) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _are_hours(value: Any) -> bool:
    """Whether a value gives hours of the day: from which, until before which."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    whole = all(isinstance(hour, int) and not isinstance(hour, bool) for hour in value)
    return whole and 0 <= value[0] <= 23 and 0 <= value[1] <= 24 and value[0] != value[1]


def or_none(rule: Rule) -> Rule:
    """The same rule, or None."""
    return Rule(lambda value: value is None or rule.accepts(value), rule.wanted)


A_NAME = Rule(_is_name, f"lower-case words joined by hyphens, at most {NAME_LENGTH} characters")
A_LINE = Rule(_is_line, f"one line of text, at most {LINE_LENGTH} characters")
A_MODEL = Rule(_is_model, "a concrete model class")
A_Q = Rule(lambda value: isinstance(value, Q), "a Q")
A_MOMENT = Rule(_is_moment, "a field name or an expression")
A_GRACE = Rule(_is_grace, "a timedelta of zero or more, or an expression")
CONDITIONS = Rule(_keeps, "a Q, an Exists(), or some by name")
A_DURATION = Rule(_is_duration, "a positive timedelta")
A_DISPOSITION = Rule(
    lambda value: isinstance(value, Disposition), "Purge(), Archive(...) or Update(...)"
)
A_CAPTURE = Rule(
    lambda value: isinstance(value, Capture), "Rows(), Window(), Partitions() or Signals()"
)
FIELD_NAMES = Rule(_are_names, "a list of field names")
A_NOTICE = Rule(lambda value: isinstance(value, Notice), "Notice(...)")
A_COUNT = Rule(_is_count, "a whole number above zero")
A_SHARE = Rule(lambda v: isinstance(v, int | float) and 0 <= v <= 1, "between 0 and 1")
HOURS = Rule(_are_hours, "two different hours of the day, as (22, 6)")
A_HOLD = Rule(lambda value: value in HOLDS, "'engine' or 'enforced'")
A_BOOL = Rule(lambda value: isinstance(value, bool), "True or False")
