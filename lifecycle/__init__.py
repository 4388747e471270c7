"""Retention for Django on PostgreSQL: which rows end, when, and the proof of it.

    from lifecycle import Archive, Policy, Purge, Update, Window, register

Host code uses `live`, `tombstoned`, `restore`, `hold`, `hold_rows`, `holds`, `release`,
`expire_now`, `expire_rows` and `context`; they are loaded on first use, so that settings may import
this package.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Policy": "policy",
    "Archive": "dispositions",
    "Purge": "dispositions",
    "Update": "dispositions",
    "Rows": "capture",
    "Signals": "capture",
    "Window": "capture",
    "register": "registry",
    "keep_forever": "coverage",
    "track_media": "media",
    "live": "querysets",
    "tombstoned": "querysets",
    "LifecycleQuerySetMixin": "querysets",
    "restore": "actions",
    "hold": "holding",
    "hold_rows": "holding",
    "holds": "holding",
    "release": "holding",
    "expire_now": "actions",
    "expire_rows": "actions",
    "loaded": "loading",
    "context": "contexts",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lifecycle' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
