"""What the packages log: each record says by `action` what happened, in a word that stays the same.

Beside the message for people a record has, always, `action`, `policy`, `database` and `run` (empty
where there is none), and what ACTIONS says of its action. Times, counts and names, never a value
of a row: of an error its class, SQLSTATE and frames, not its message, in which PostgreSQL repeats
values.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from lifecycle.printable import visible

COUNTS = "tombstoned purged updated kept held blocked locked"
# action -> level, further fields; docs/reference/logs.md tells what each means
ACTIONS = {
    "run": ("info", COUNTS),
    "asked": ("info", "event"),
    "media": ("info", "count kept blocked"),
    "media_store": ("warning", "cause"),
    "media_unreadable": ("warning", "cause"),
    "media_singly": ("warning", "cause"),
    "erased": ("info", "model event"),
    "run_failed": ("exception", ""),
    "interrupted": ("warning", "count"),
    "halted": ("error", "model cause event"),
    "blocked": ("error", "model cause count event"),
    "capture_failed": ("error", "model cause count event"),
    "lagging": ("error", "model cause count event"),
    "held_deleted": ("error", "model cause count event"),
    "goes_on": ("warning", "trouble cause"),
    "mail_failed": ("exception", "trouble"),
    "watch_failed": ("exception", ""),
    "proof_alarm": ("error", "model cause count event"),
    "proof_failed": ("exception", ""),
    "pruned": ("info", "count"),
    "planned": ("info", "model act plan count"),
    "plan_applied": ("info", "model act plan event"),
    "plan_done": ("info", "model act plan count"),
    "plan_altered": ("error", "model act plan"),
    "plan_stale": ("warning", "model act plan"),
    "plan_failed": ("exception", "plan"),
    "delivery_failed": ("exception", "subscriber event"),
    "deliveries_failed": ("exception", ""),
    "notice_failed": ("exception", ""),
    "notices_failed": ("exception", ""),
    "rewritten": ("info", "model count event"),
    "rewrite_failed": ("warning", "model event"),
    "exported": ("info", "model count"),
    "request_failed": ("exception", "request"),
    "overdue": ("error", "model cause count event"),
    "unwitnessed": ("warning", ""),
    "fingerprint": ("warning", ""),
    "version": ("warning", ""),
    "elsewhere": ("warning", ""),
    "lock_taken": ("warning", ""),
    "throttled": ("warning", "cause"),
    "unthrottled": ("info", "seconds"),
    "busy": ("warning", ""),
    "pulse_failed": ("exception", ""),
    "pulse_recovered": ("warning", ""),
    "heartbeat_failed": ("exception", ""),
    "pending_failed": ("exception", ""),
    "stopped": ("warning", "count"),
    "message_dropped": ("warning", "cause count"),
    "tick_failed": ("exception", ""),
    "backfill": ("info", "why read listed failed"),
    "backfill_failed": ("exception", ""),
    "not_installed": ("warning", "table"),
    "scrape_failed": ("exception", ""),
}
ALWAYS: dict[str, Any] = {"policy": "", "database": "", "run": None}
FIELDS = ("action", *ALWAYS, *{name for _, more in ACTIONS.values() for name in more.split()})


class Log:
    """A logger of the package; the only way by which it logs."""

    def __init__(self, name: str) -> None:
        self.logger = logging.getLogger(name)

    def __call__(self, action: str, message: str, **fields: Any) -> None:
        """Log at the action's level; `exception` with the traceback of what is being handled."""
        level, more = ACTIONS[action]
        record = ALWAYS | dict.fromkeys(more.split()) | _visible(fields) | {"action": action}
        error = sys.exc_info()[1] if level == "exception" else None
        write = self.logger.error if level == "exception" else getattr(self.logger, level)
        told = without_values(error) if error else None
        write(visible(message), extra=record, exc_info=told, stacklevel=2)


def _visible(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: visible(value) if isinstance(value, str) else value for k, value in fields.items()}


def without_values(error: BaseException, seen: frozenset[int] = frozenset()) -> Exception:
    """An exception of the same name, frames and causes, whose only message is the SQLSTATE.

    `seen` are those before it in the chain, in which one may stand twice.
    """
    seen |= {id(error)}
    kind = type(error)
    named = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
    # Django's own errors have that of psycopg as their cause.
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    told: Exception = named(*([f"SQLSTATE {state}"] if state else []))
    if error.__cause__ and id(error.__cause__) not in seen:
        told.__cause__ = without_values(error.__cause__, seen)
    elif error.__context__ and not (error.__suppress_context__ or id(error.__context__) in seen):
        told.__context__ = without_values(error.__context__, seen)
    return told.with_traceback(error.__traceback__)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what it is about, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
