"""The subcommands of `manage.py lifecycle`, a module each.

A module has `HELP`, `add_arguments(parser)` and `run(command, options)`, which is called for each
database that the command goes to (`options["database"]`), or `run_on_all(command, options,
databases)` in its place. A `LifecycleError` that they raise becomes the command's error.
Those that work whatever version of the package a database has say `ANY_VERSION = True`.
"""

from typing import Any

from lifecycle.management.subcommands import (
    backfill,
    disable,
    enable,
    hold,
    holds,
    install,
    pause,
    rebuild,
    release,
    restore,
    resume,
    scaffold,
    status,
    uninstall,
    verify,
    why,
)

SUBCOMMANDS: dict[str, Any] = {
    "status": status,
    "enable": enable,
    "disable": disable,
    "pause": pause,
    "resume": resume,
    "restore": restore,
    "hold": hold,
    "release": release,
    "holds": holds,
    "backfill": backfill,
    "install": install,
    "rebuild": rebuild,
    "verify": verify,
    "uninstall": uninstall,
    "why": why,
    "scaffold": scaffold,
}
