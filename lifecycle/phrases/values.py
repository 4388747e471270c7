"""Numbers, times and spans, in English and in the form of whoever looks."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import formats
from django.utils.timezone import is_aware, localtime
from django.utils.translation import ngettext

from lifecycle.phrases.words import Words, translated
from lifecycle.printable import in_utc


class Number(Words):
    """A number with its thousands apart."""

    value: int

    def said(self) -> str:
        if not settings.USE_I18N:
            return f"{self.value:,}"
        return str(formats.number_format(self.value, use_l10n=True, force_grouping=True))


class Figure(Words):
    """A number as it was rounded, with the viewer's decimal mark."""

    def said(self) -> str:
        return self.replace(".", str(formats.get_format("DECIMAL_SEPARATOR")))


class Moment(Words):
    """A time: UTC in English, of the viewer's zone where it is shown."""

    value: datetime

    def said(self) -> str:
        text = to_the_second(self.value)
        return f"{text} {localtime(self.value).tzname()}" if is_aware(self.value) else text


class Local(Moment):
    """A time of the viewer's zone, in English of the site's; without saying which."""

    def said(self) -> str:
        return to_the_second(self.value)


class Minute(Moment):
    """A time, to the minute."""

    def said(self) -> str:
        return f"{minute(self.value)} {localtime(self.value).tzname()}"


class Day(Words):
    """A day."""

    value: date

    def said(self) -> str:
        return day(self.value)


class Lasting(Words):
    """A span of time as days, hours, minutes and seconds."""

    value: timedelta

    def said(self) -> str:
        days, rest = self.value.days, self.value - timedelta(days=self.value.days)
        if not days:
            return str(rest)
        text = ngettext("%(days)s day, %(time)s", "%(days)s days, %(time)s", abs(days))
        return text % {"days": translated(number(days)), "time": rest}


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


def to_the_second(moment: datetime | None) -> str:
    """A moment in the viewer's time zone and form; a dash for none."""
    if moment is None:
        return "-"
    return str(formats.localize_input(localtime(moment) if is_aware(moment) else moment))


def minute(moment: datetime) -> str:
    """A moment in the viewer's time zone and form, to the minute."""
    form = str(formats.get_format("DATETIME_INPUT_FORMATS")[0]).replace(":%S", "")
    return localtime(moment).strftime(form)


def day(moment: date | None) -> str:
    """A day in the viewer's form; a dash for none."""
    return str(formats.localize_input(moment)) if moment else "-"
