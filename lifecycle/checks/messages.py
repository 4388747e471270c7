"""The messages of checks: what is wrong, how to mend it, where to read more."""

from typing import Any

from django.core.checks import Error, Info, Warning

from lifecycle.pages import page

DOCS = "reference/checks.md"


def error(number: int, text: str, hint: str, obj: Any = None) -> Error:
    """`lifecycle.E<number>`: the policy cannot work as it is declared."""
    return Error(text, hint=_linked(hint, f"e{number:03}"), obj=obj, id=f"lifecycle.E{number:03}")


def warning(number: int, text: str, hint: str, obj: Any = None) -> Warning:
    """`lifecycle.W<number>`: it works, but not for all rows, or not yet."""
    return Warning(text, hint=_linked(hint, f"w{number:03}"), obj=obj, id=f"lifecycle.W{number:03}")


def info(number: int, text: str, hint: str, obj: Any = None) -> Info:
    """`lifecycle.I<number>`: it works, and could be safer."""
    return Info(text, hint=_linked(hint, f"i{number:03}"), obj=obj, id=f"lifecycle.I{number:03}")


def _linked(hint: str, anchor: str) -> str:
    return f"{hint} ({page(DOCS, f'lifecycle-{anchor}')})"
