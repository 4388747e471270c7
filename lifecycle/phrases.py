"""Sentences that stay English wherever they are kept, and are the viewer's where they are shown.

What the engine has to say goes to many places: a terminal, JSON, a log, the ledger, the admin, a
mail. Each of these texts *is* its English one: it can be compared, stored and logged, whatever
language is active. A template shows it in the language, with the numbers and the times, of whoever
looks; other code that shows it asks for that by `translated`.

    phrase("%(row)s is not in the database.", row=name)
    counted("%(rows)s row is held.", "%(rows)s rows are held.", number(rows), rows=number(rows))

Only what is put into a text as it is keeps that: cut, joined or formatted it is plain English.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import formats
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext, ngettext

from lifecycle.printable import in_utc


class Words(str):
    """English, with another way to say it. What there is to say never comes from a translation."""

    def __str__(self) -> str:
        return self  # also what has made a text of it shows the viewer's

    def __html__(self) -> SafeString:
        return escape(self.said())

    def said(self) -> str:
        """In the active language."""
        raise NotImplementedError

    def translate(self, table: Any) -> "Words":
        """With some characters as others: `visible` text keeps what it can say."""
        made = Mapped(super().translate(table))
        made.whole, made.table = self, table
        return made


class Mapped(Words):
    """Words of which some characters are shown as others."""

    whole: Words
    table: Any

    def said(self) -> str:
        return self.whole.said().translate(self.table)


class Phrase(Words):
    """A sentence with names for what is put in."""

    one: str
    many: str
    times: int | None
    values: dict[str, Any]

    def said(self) -> str:
        if not self.one:
            return ""
        text = (
            gettext(self.one) if self.times is None else ngettext(self.one, self.many, self.times)
        )
        told = {name: translated(value) for name, value in self.values.items()}
        if isinstance(self.values.get("count"), int):  # other numbers are names of something
            told["count"] = str(formats.localize(self.values["count"]))
        return text % told if told else text


class Cut(Words):
    """The beginning of long words."""

    whole: Any
    most: int

    def said(self) -> str:
        return f"{translated(self.whole)[: self.most]}..."


class Stopless(Words):
    """Words without the full stop at their end."""

    whole: Any

    def said(self) -> str:
        return translated(self.whole).rstrip(".")


class Padded(Words):
    """Words with spaces after them, to so many characters."""

    whole: Any
    width: int

    def said(self) -> str:
        return translated(self.whole).ljust(self.width)


class Code(Words):
    """A state, a kind, an act: what the database and programs call it, and people's word for it."""

    def said(self) -> str:
        return gettext(str.__str__(self).replace("_", " ")) if self else ""


class Joined(Words):
    """Several, one after the other, with something between that needs no translation."""

    between: str
    parts: list[Any]

    def said(self) -> str:
        return self.between.join(translated(part) for part in self.parts)


class Number(Words):
    """A number with its thousands apart."""

    value: int

    def said(self) -> str:
        if not settings.USE_I18N:
            return f"{self.value:,}"
        return str(formats.number_format(self.value, use_l10n=True, force_grouping=True))

    def __int__(self) -> int:
        return self.value


class Figure(Words):
    """A number as it was rounded, with the viewer's decimal mark."""

    def said(self) -> str:
        return self.replace(".", str(formats.get_format("DECIMAL_SEPARATOR")))


class Moment(Words):
    """A time: UTC in English, of the viewer's zone where it is shown."""

    value: datetime

    def said(self) -> str:
        if not is_aware(self.value):
            return str(formats.localize_input(self.value))
        local = localtime(self.value)
        return f"{formats.localize_input(local)} {local.tzname()}"


class Local(Moment):
    """A time of the viewer's zone, in English of the site's; without saying which."""

    def said(self) -> str:
        return to_the_second(self.value)


class Minute(Moment):
    """A time, to the minute."""

    def said(self) -> str:
        local = localtime(self.value)
        form = str(formats.get_format("DATETIME_INPUT_FORMATS")[0]).replace(":%S", "")
        return f"{local.strftime(form)} {local.tzname()}"


class Day(Words):
    """A day."""

    value: date

    def said(self) -> str:
        return str(formats.localize_input(self.value))


class Lasting(Words):
    """A span of time as days, hours, minutes and seconds."""

    value: timedelta

    def said(self) -> str:
        days, rest = self.value.days, self.value - timedelta(days=self.value.days)
        if not days:
            return str(rest)
        text = ngettext("%(days)s day, %(time)s", "%(days)s days, %(time)s", abs(days))
        return text % {"days": translated(number(days)), "time": rest}


def phrase(text: str, /, **values: Any) -> str:
    """A sentence; `text` is its English, with `%(name)s` for each value, and goes into the
    catalogue as it is written.
    """
    made = Phrase(text % values if values else text)
    made.one, made.many, made.times, made.values = text, text, None, values
    return made


def counted(one: str, many: str, count: int, /, **values: Any) -> str:
    """A sentence that is another one for one thing than for several; `count` is `%(count)s`."""
    values = {"count": count} | values
    made = Phrase((one if count == 1 else many) % values)
    made.one, made.many, made.times, made.values = one, many, count, values
    return made


def word(code: str) -> str:
    """A code of this package, that has its word in the catalogue by the choices of a model."""
    return Code(code)


def joined(between: str, parts: Iterable[Any]) -> str:
    """As `str.join`; each part keeps what it can say."""
    kept = list(parts)
    made = Joined(between.join(map(str, kept)))
    made.between, made.parts = between, kept
    return made


def cut(whole: Any, most: int) -> Any:
    """So many characters of it, and three dots; the whole where it is no longer."""
    if len(str(whole)) <= most:
        return whole
    made = Cut(f"{str(whole)[:most]}...")
    made.whole, made.most = whole, most
    return made


def without_stop(whole: Any) -> str:
    """For words with more after them."""
    made = Stopless(str(whole).rstrip("."))
    made.whole = whole
    return made


def padded(whole: Any, width: int) -> str:
    """So wide at least."""
    made = Padded(str(whole).ljust(width))
    made.whole, made.width = whole, width
    return made


def any_of(parts: list[Any]) -> str:
    """One or the other."""
    *others, last = parts
    return phrase("%(one)s or %(other)s", one=any_of(others), other=last) if others else last


def number(value: int) -> str:
    """1,234 in English."""
    made = Number(f"{value:,}")
    made.value = value
    return made


def figure(text: str) -> str:
    """A number with a decimal point, as it was written for English."""
    return Figure(text)


def at(value: datetime) -> str:
    """A moment, to the second."""
    made = Moment(in_utc(value))
    made.value = value
    return made


def locally(value: datetime) -> str:
    """A moment, to the second, where the zone is known."""
    made = Local(f"{localtime(value):%Y-%m-%d %H:%M:%S}")
    made.value = value
    return made


def to_the_minute(value: datetime) -> str:
    """A moment, to the minute."""
    made = Minute(f"{value:%Y-%m-%d %H:%M} UTC")
    made.value = value
    return made


def on(value: date) -> str:
    """A day: 2030-12-31 in English."""
    made = Day(value.isoformat())
    made.value = value
    return made


def lasting(value: timedelta) -> str:
    """As Python writes it: `1 day, 2:03:04`."""
    made = Lasting(str(value))
    made.value = value
    return made


def translated(value: Any) -> str:
    """What a value says in the active language: a phrase, an error with one, anything else."""
    if isinstance(value, BaseException):
        value = value.args[0] if value.args else value
    if isinstance(value, Words):
        return value.said()
    return str(formats.localize(value)) if isinstance(value, float) else str(value)


def to_the_second(moment: datetime | None) -> str:
    """A moment in the viewer's time zone and form; a dash for none."""
    if moment is None:
        return "-"
    return str(formats.localize_input(localtime(moment) if is_aware(moment) else moment))


def day(moment: date | None) -> str:
    """A day in the viewer's form; a dash for none."""
    return str(formats.localize_input(moment)) if moment else "-"
