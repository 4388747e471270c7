"""What words are: English, with another way to say it."""

from typing import Any

from django.utils import formats
from django.utils.html import escape
from django.utils.safestring import SafeString


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


def translated(value: Any) -> str:
    """What a value says in the active language: a phrase, an error with one, anything else."""
    if isinstance(value, BaseException):
        value = value.args[0] if value.args else value
    if isinstance(value, Words):
        return value.said()
    return str(formats.localize(value)) if isinstance(value, float) else str(value)
