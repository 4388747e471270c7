"""Sentences with names for what is put in, codes, and what is put together of them."""

from collections.abc import Iterable
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, ngettext

from lifecycle.phrases.words import Words, translated


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
        try:
            return text % told if told else text
        except (KeyError, TypeError, ValueError):  # a catalogue of the site's that names no value
            return str.__str__(self)


class Joined(Words):
    """Several, one after the other, with something between that needs no translation."""

    between: str
    parts: list[Any]

    def said(self) -> str:
        return self.between.join(translated(part) for part in self.parts)


class Code(Words):
    """A state, a kind, an act: what the database and programs call it, and people's word for it."""

    def said(self) -> str:
        return gettext(str.__str__(self).replace("_", " ")) if self else ""


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


def joined(between: str, parts: Iterable[Any]) -> str:
    """As `str.join`; each part keeps what it can say."""
    kept = list(parts)
    made = Joined(between.join(map(str, kept)))
    made.between, made.parts = between, kept
    return made


def word(code: str) -> str:
    """A code of this package, that has its word in the catalogue by the choices of a model."""
    return Code(code)


def all_of(parts: list[Any]) -> str:
    """One and the other."""
    *others, last = parts
    return phrase("%(one)s and %(other)s", one=all_of(others), other=last) if others else last


def any_of(parts: list[Any]) -> str:
    """One or the other."""
    *others, last = parts
    return phrase("%(one)s or %(other)s", one=any_of(others), other=last) if others else last


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
