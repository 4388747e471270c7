"""Sentences that stay English wherever they are kept, and are the viewer's where they are shown.

What the engine has to say goes to many places: a terminal, JSON, a log, the ledger, the admin, a
mail. Each of these texts *is* its English one: it can be compared, stored and logged, whatever
language is active. A template shows it in the language, with the numbers and the times, of whoever
looks; other code that shows it asks for that by `translated`.

    phrase("%(row)s is not in the database.", row=name)
    counted("%(rows)s row is held.", "%(rows)s rows are held.", rows, rows=number(rows))

Only what is put into a text as it is keeps that: cut, joined or formatted it is plain English.
"""

from lifecycle.phrases.sentences import (
    all_of,
    any_of,
    counted,
    cut,
    joined,
    padded,
    phrase,
    without_stop,
    word,
)
from lifecycle.phrases.values import (
    at,
    day,
    figure,
    lasting,
    locally,
    minute,
    number,
    on,
    to_the_minute,
    to_the_second,
)
from lifecycle.phrases.words import Words, translated

__all__ = [
    "Words",
    "all_of",
    "any_of",
    "at",
    "counted",
    "cut",
    "day",
    "figure",
    "joined",
    "lasting",
    "locally",
    "minute",
    "number",
    "on",
    "padded",
    "phrase",
    "to_the_minute",
    "to_the_second",
    "translated",
    "without_stop",
    "word",
]
