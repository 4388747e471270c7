"""Warnings by mail before a row ends: `Notice`."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F

from lifecycle.exceptions import PolicyError

MOST = 10  # mails about one end
YEAR = timedelta(days=365)

Leads = tuple[timedelta, ...]


class Notice:
    """Warns by mail before a row ends; none ends before its mails went, and their time is over.

    before     how long before the end a mail goes: a timedelta or several; or, by a value of the
               column `by`, such as `{"free": [...], "paid": [...]}`
    to         whose mail it is: a field, also over relations (`"owner__email"`), or a function of
               the row. A row without an address, or with one that is refused, is waived: that is
               recorded, and it ends when it would have with a mail
    by         the field of the model's own table that `before` goes by
    otherwise  of rows with another value in `by`; the longest of all by default, `()` for none
    keep       what the link in the mail does: a timedelta, for so long the row is restored; or a
               function of the row that moves its end, as by `last_login`. None: no link
    language   of the mail: a field or a function of the row. Default: LANGUAGE_CODE
    time_zone  of the dates in it: a field or a function of the row. Default: TIME_ZONE
    sender     who writes. Default: DEFAULT_FROM_EMAIL

    What is found late has the whole time from its first mail. A row whose end moves, as by a
    sign-in, is warned anew of the new one. Needs `capture=Rows()` or `Signals()`.
    """

    def __init__(
        self, before: Any, to: str | Callable[[Any], Any], *, by: str | None = None,
        otherwise: Any = None, keep: timedelta | Callable[[Any], Any] | None = YEAR,
        language: str | Callable[[Any], Any] | None = None,
        time_zone: str | Callable[[Any], Any] | None = None, sender: str | None = None,
    ) -> None:  # fmt: skip
        self.to, self.by, self.keep, self.sender = to, by, keep, sender
        self.language, self.time_zone = language, time_zone
        self.leads = _by_value(before, by)
        every = [leads for leads in self.leads.values() if leads]
        if not every:
            raise PolicyError("Notice: `before` names no time before the end.")
        longest = max(every, key=lambda leads: leads[0])
        self.otherwise = longest if otherwise is None else _leads(otherwise, empty=True)
        if by is None and otherwise is not None:
            raise PolicyError("Notice: `otherwise` is of rows with other values: say `by` of what.")
        self._validate()

    def _validate(self) -> None:
        for name in ("to", "language", "time_zone"):
            value = getattr(self, name)
            is_given = callable(value) or (isinstance(value, str) and bool(value))
            if not is_given and (name == "to" or value is not None):
                raise PolicyError(f"Notice: {name} is a field or a function, not {value!r}.")
        is_span = isinstance(self.keep, timedelta) and self.keep > timedelta(0)
        if not (is_span or self.keep is None or callable(self.keep)):
            raise PolicyError(
                f"Notice: keep is a positive timedelta or a function, not {self.keep!r}."
            )

    @property
    def longest(self) -> timedelta:
        """How long before its end the first mail about any row goes."""
        return max(leads[0] for leads in (*self.leads.values(), self.otherwise) if leads)

    @property
    def warns_all(self) -> bool:
        """Whether each row is warned of, whatever its type."""
        sets = self.leads.values() if self.by is None else [*self.leads.values(), self.otherwise]
        return all(sets)

    def declaration(self) -> tuple[object, ...]:
        """What decides when rows end: not to whom a mail goes, nor in which words."""
        by_value = [(repr(value), list(leads)) for value, leads in self.leads.items()]
        return ("Notice", self.by, sorted(by_value, key=str), list(self.otherwise))

    def get_source_expressions(self) -> list[Any]:
        """The column that it goes by: a renamed one makes another declaration."""
        return [F(self.by)] if self.by else []


def _by_value(before: Any, by: str | None) -> dict[Any, Leads]:
    if by is None:
        if isinstance(before, Mapping):
            raise PolicyError("Notice: `before` goes by values: say of which field, with `by`.")
        return {None: _leads(before)}
    if not isinstance(by, str) or not by or not isinstance(before, Mapping):
        raise PolicyError("Notice: with `by`, a field's name, `before` is a dict of its values.")
    return {value: _leads(each, empty=True) for value, each in before.items()}


def _leads(given: Any, empty: bool = False) -> Leads:
    """Longest first."""
    several = [given] if isinstance(given, timedelta) else given
    if not isinstance(several, list | tuple):
        raise PolicyError(f"Notice: a time before the end is a timedelta, not {given!r}.")
    for each in several:
        if not isinstance(each, timedelta) or each <= timedelta(0):
            raise PolicyError(f"Notice: a time before the end is a timedelta, not {each!r}.")
    if len(set(several)) != len(several) or len(several) > MOST or not (several or empty):
        raise PolicyError(f"Notice: one to {MOST} different times before the end, not {given!r}.")
    return tuple(sorted(several, reverse=True))
