"""Retention for Django on PostgreSQL: which rows end, when, and the proof of it.

    from lifecycle import Archive, Policy, Purge, Update, Window, register

Host code uses `live`, `tombstoned`, `restore`, `hold`, `hold_rows`, `holds`, `release`,
`expire_now`, `expire_rows` and `context`; they are loaded on first use, so that settings may import
this package.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Policy": "policy.policy",
    "Archive": "policy.dispositions",
    "Purge": "policy.dispositions",
    "Update": "policy.dispositions",
    "Rows": "policy.capture_modes",
    "Partitions": "policy.capture_modes",
    "Signals": "policy.capture_modes",
    "Window": "policy.capture_modes",
    "KeepNewest": "policy.groups",
    "KeepOldest": "policy.groups",
    "Stage": "policy.stages",
    "Stages": "policy.stages",
    "Notice": "policy.notice",
    "period_by": "policy.periods",
    "register": "capture.attach",
    "keep_forever": "policy.coverage",
    "describe": "policy.described",
    "ignore_delete": "policy.own_deletes",
    "track_media": "policy.media_fields",
    "live": "ledger.querysets",
    "tombstoned": "ledger.querysets",
    "LifecycleQuerySetMixin": "ledger.querysets",
    "restore": "ledger.row_actions",
    "hold": "ledger.holds",
    "hold_rows": "ledger.holds",
    "holds": "ledger.holds",
    "release": "ledger.holds",
    "expire_now": "ledger.row_actions",
    "expire_rows": "ledger.row_actions",
    "loaded": "ledger.loaded",
    "context": "ledger.context",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lifecycle' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
