"""The subcommands of `manage.py lifecycle`, a module each, or an object with the same names.

A module has `HELP`, `add_arguments(parser)` where it has options, and `run(command, options)`,
which is called for each database that the command goes to (`options["database"]`), or
`run_on_all(command, options, databases)` in its place. A `LifecycleError` that they raise becomes
the command's error. `ANY_VERSION = True`: it works whatever version of the package a database has.
"""

from typing import Any

from lifecycle.management.subcommands import (
    adopt,
    backfill,
    concept,
    enable,
    grants,
    hold,
    holds,
    install,
    metrics,
    rebuild,
    release,
    restore,
    roles,
    scaffold,
    status,
    uninstall,
    verify,
    why,
)
from lifecycle.management.subcommands.policy_states import disable, pause, resume

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
    "grants": grants,
    "roles": roles,
    "rebuild": rebuild,
    "verify": verify,
    "uninstall": uninstall,
    "why": why,
    "scaffold": scaffold,
    "adopt": adopt,
    "concept": concept,
    "metrics": metrics,
}
