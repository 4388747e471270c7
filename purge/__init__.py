"""The worker: what comes to its end is tombstoned, purged, updated here, and nowhere else.

Host code uses `erase`, `receipts`, `enqueue` and `run`; they are loaded on first use, so that
settings may import this package.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "erase": "erasure.erase",
    "receipts": "erasure.receipt",
    "enqueue": "overrides.request",
    "run": "overrides.request",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'purge' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
