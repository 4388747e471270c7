"""The subcommands of `manage.py archive`, a module each, as those of `manage.py lifecycle`."""

from typing import Any

from purge.management.archive import erase, load, lost, ls, verify

SUBCOMMANDS: dict[str, Any] = {
    "ls": ls, "verify": verify, "load": load, "erase": erase, "lost": lost,
}  # fmt: skip
