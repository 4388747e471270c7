"""Subcommands that another app adds to `manage.py lifecycle`.

This package only knows; the app that acts brings the subcommands that act. It says so in its
`AppConfig.ready()`; the module is imported when the command runs.
"""

from importlib import import_module
from typing import Any

_modules: dict[str, str] = {}


def add_subcommand(name: str, module: str) -> None:
    """Add `manage.py lifecycle NAME`: a dotted module with what our own subcommands have."""
    _modules[name] = module


def subcommands() -> dict[str, Any]:
    """Every subcommand by name, our own first."""
    from lifecycle.management.subcommands import SUBCOMMANDS

    return SUBCOMMANDS | {name: import_module(module) for name, module in _modules.items()}
