"""The worker: what comes to its end is tombstoned, purged, updated here, and nowhere else.

Host code uses what `__all__` names; it is loaded on first use, so that settings may import this
package.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "acknowledge": "outbox.answer",
    "erase": "erasure.erase",
    "erase_archived": "rewriting.ask",
    "receipts": "erasure.receipt",
    "enqueue": "overrides.request",
    "run": "overrides.request",
    "on_purge": "outbox.subscribers",
    "Purged": "outbox.subscribers",
    "ErasedRows": "rewriting.ask",
    "plan": "plans.make",
    "request_erasure": "requests.ask",
    "extend_request": "requests.ask",
    "answer_request": "requests.ask",
    "approve_plan": "plans.apply",
    "apply_plan": "plans.apply",
    "withdraw_plan": "plans.apply",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'purge' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
