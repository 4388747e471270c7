"""What people say of many rows at once, by their keys: the caller has locked the rows.

Each is one event, of at most 10,000 rows, in the caller's transaction. `plan` is the event of the
plan that is carried out.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from psycopg.types.json import Jsonb

from lifecycle import signals
from lifecycle.compiler.keys import key_of, label_of_model, subjects_of
from lifecycle.db.connection import Placed, fetch, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase
from lifecycle.policy.policy import Policy


def say_of(
    kind: str, model: type[Model], keys: list[str], using: str, policy: str = "",
    **detail: Any,
) -> int:  # fmt: skip
    """One event of a kind about rows; returns its number."""
    key = key_of(model)
    subjects = Placed(subjects_of(key, f"%(keys)s::text[]::{key.kind}[]"))
    params = {"kind": kind, "policy": policy, "model": label_of_model(model), "keys": keys}
    text = statement(__file__, "say_of", subjects=subjects)
    return int(scalar(using, text, params | {"detail": Jsonb(detail)}))


def restore_keys(
    policy: Policy, keys: list[str], using: str, plan: int, until: datetime | None = None
) -> int:
    """Bring rows back to live under a policy, as `restore` does each."""
    more: dict[str, Any] = {"until": until.isoformat()} if until else {}
    model: Any = policy.model
    event = say_of("restored", model, keys, using, policy.name, again=True, plan=plan, **more)
    details = {"policy": policy.name, "events": [event], "count": len(keys)}
    send = lambda: signals.restored.send_robust(model, **details)  # noqa: E731
    transaction.on_commit(send, using=using, robust=True)
    return event


def release_keys(model: type[Model], keys: list[str], hold: int, using: str, plan: int) -> int:
    """Let rows go from one hold; what has fallen due meanwhile is looked at."""
    event = say_of("hold_released", model, keys, using, holds=[hold], plan=plan)
    fetch(using, statement(__file__, "look_again"), {"event": event})
    return event


def holds_of(
    model: type[Model], keys: list[str], using: str, reference: str = ""
) -> dict[str, list[int]]:
    """The holds that stand on rows by name, under a reference where one is given; by key."""
    params = {"model": label_of_model(model), "keys": keys, "reference": reference}
    return dict(fetch(using, statement(__file__, "holds_of"), params))


def refuse_to_plan(using: str) -> None:
    """Raise `LifecycleError` where this role of the database is no officer's."""
    if not scalar(using, statement(__file__, "may_plan")):
        raise LifecycleError(
            phrase(
                "The role of %(using)s may not make, approve or apply plans: that is an "
                "officer's (`manage.py lifecycle grants --site ROLE --worker ROLE "
                "--officer ROLE`).",
                using=repr(using),
            )
        )


def note_plan(model: str, policy: str, using: str, **detail: Any) -> int:
    """Record a step of a plan: who, which act, how many rows, under which hash; no value.

    `model` as the ledger names it, which the code need not have any more.
    """
    params = {"policy": policy, "model": model, "detail": Jsonb(detail)}
    return int(scalar(using, statement(__file__, "note_plan"), params))
