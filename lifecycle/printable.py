"""Text that comes from rows, on its way to a terminal, a mail or a log.

Keys, names and reasons are written by others. What moves a cursor, recolours, turns the direction
of writing, or begins a line of its own is shown as `\\uXXXX` instead of acted on; in JSON that is
the same text.
"""

from typing import Any

# Controls with ESC and DEL, line and paragraph separators, marks and overrides of direction, and
# what stands for bytes that are no UTF-8, which no stream can write.
CODES = (
    *range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F,
    *range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000),
)  # fmt: skip
ESCAPES = {code: f"\\u{code:04x}" for code in CODES}
IN_LINES = {code: text for code, text in ESCAPES.items() if code != 0x0A}


def visible(text: str) -> str:
    """One line: also a line's end is escaped."""
    return text.translate(ESCAPES)


def visible_lines(text: str) -> str:
    """Text of several lines; what it is made of has to be `visible` already."""
    return text.translate(IN_LINES)


def in_utc(moment: Any) -> str:
    """A moment, in words."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
