"""An archive that is gone for good, by a person's word; and one of these that is there again.

declared  a first person has said so; with `LIFECYCLE_TWO_PERSON` it counts once a second one has
lost      it counts: nobody waits for it any more, and nothing says that rows of it were erased
found     something of it is there again: it counts as before, and erasures that were done without
          it are asked for anew
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connections, transaction

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.policy_lock import take_lock
from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.ledger.context import context, in_context
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies
from purge.archive.destinations import destination
from purge.archive.records import Record, records
from purge.archive.verify import has_to_be_there
from purge.erasure import archived
from purge.models import Archive, ArchiveErasure
from purge.plans.told import person_of
from purge.rewriting.find import names_of
from purge.rewriting.task import Task, alone

LASTS = timedelta(days=7)  # that a declaration waits for a second person


def declare_lost(name: str, reason: str, actor: str, using: str) -> bool:
    """Declare an archive lost, of which nothing is at its place at this moment, in no version.

    Returns whether it counts; else it wants a second person, who says the same within `LASTS`. An
    event tells who and why. `LifecycleError` where anything of it is there, where that cannot be
    seen, where it was put elsewhere, or is none that is missed. Not inside a transaction.
    """
    _check(reason, actor)
    with _alone(name, using) as (task, record):
        if record.lost:
            raise LifecycleError(f"{name} {record.lost.says} already.")
        if record.replaced:
            raise LifecycleError(f"{name} {record.replaced.says}: nobody misses it.")
        if not has_to_be_there(record):
            raise LifecycleError(f"No row has gone into {name}: nobody misses it.")
        if _is_there(task, name):
            raise LifecycleError(f"Something of {name} is in {_title()}: it is not lost.")
        said = {"archive": name, "reason": reason.strip()} | _two(name, actor, using)
        with transaction.atomic(using=using), _named(actor, using):
            take_lock(task.policy.name, using)
            _say(record, using, **said)
            if said["step"] == "lost":
                archived.lose(using, [name])
    return bool(said["step"] == "lost")


def found_again(name: str, reason: str, actor: str, using: str) -> int:
    """Take it back that an archive is lost, of which something is there again.

    Returns how many erasures, done without it, are asked for anew.
    """
    _check(reason, actor)
    with _alone(name, using) as (task, record):
        if not record.lost:
            raise LifecycleError(f"As far as the ledger says, nobody has declared {name} lost.")
        if not _is_there(task, name):
            raise LifecycleError(f"{name} is not there: nothing of it is in {_title()}.")
        with _named(actor, using):
            return _found(task, name, record.policy, record.model, reason=reason.strip())


def without(task: Task, job: ArchiveErasure) -> list[str]:
    """The lost archives that an erasure is done without.

    One of which something is there again is lost no longer: `LifecycleError`, so that the erasure
    stays open and looks into it; also where nobody can see whether it is.
    """
    names = []
    for name, lost in task.form.lost().items():
        if name not in job.looked:
            if task.form.is_there(name):
                _found(task, name, lost.policy, lost.model)
                raise LifecycleError(f"{name} was declared lost, and is there again.")
            names.append(name)
    return names


def _found(task: Task, name: str, policy: str, model: str, **said: str) -> int:
    using = task.using
    with transaction.atomic(using=using):
        take_lock(task.policy.name, using)
        params = {"policy": policy, "model": model}
        detail = {"step": "found", "archive": name} | said
        fetch(using, statement(__file__, "say"), params | {"detail": json.dumps(detail)})
        asked = fetch(using, statement(__file__, "without"), {"archive": name})
        for own, label, erasure, reference in asked:
            archived.say(own, label, using, step="asked", erasure=erasure, reference=reference)
        archived.project(using)
    return len(asked)


def _check(reason: str, actor: str) -> None:
    if not reason.strip():
        raise LifecycleError("Say why (--reason): it is written into the ledger.")
    if not person_of(actor):
        raise LifecycleError("Say who does this (--actor).")


@contextmanager
def _alone(name: str, using: str) -> Iterator[tuple[Task, Record]]:
    """The archive as the ledger has it, while nobody else makes or rewrites the policy's."""
    policy = _policy(_record(name, using), using)
    if connections[using].in_atomic_block:
        raise LifecycleError("Not inside a transaction: end it first.")
    with alone(policy, using) as task:
        if task is None:
            raise LifecycleError(f"Another process works on archives of {policy.name}: try again.")
        yield task, _record(name, using)


def _record(name: str, using: str) -> Record:
    known = records([using], [name]).get(name)
    if not known:
        hint = did_you_mean(name, records([using]))
        raise LifecycleError(f"There is no ledger here that knows an archive {name!r}.{hint}")
    return max(known, key=lambda each: each.has_ended)


def _policy(record: Record, using: str) -> Policy:
    for policy in all_policies():
        if is_at(policy.model, using) and record.policy in names_of(policy, using):
            return policy
    raise LifecycleError(f"No code declares {record.policy} any more, whose archive it is.")


def _is_there(task: Task, name: str) -> bool:
    """Whether something is; `LifecycleError` where it was put into another place than this one."""
    places = Archive.objects.using(task.using).filter(name=name).values_list("place", flat=True)
    for place in filter(None, places):
        if place != _title():
            raise LifecycleError(
                f"{name} was put into {place}, and settings name {_title()}: say it with those of"
                " its place."
            )
    return task.form.is_there(name)


def _title() -> str:
    return destination().title


def _named(actor: str, using: str) -> Any:
    return context(actor, in_context("cause", using), using)


def _two(name: str, actor: str, using: str) -> dict[str, Any]:
    """Whether it counts, or is a first word; which that was that a second person confirms."""
    if not conf.TWO_PERSON:
        return {"step": "lost"}
    role = str(scalar(using, "SELECT session_user"))
    own = {"role": role} if conf.TWO_PERSON == "roles" else {}
    claim = fetch(using, statement(__file__, "claim"), {"archive": name, "lasts": LASTS})
    if not claim or not claim[0][3]:
        return {"step": "declared"} | own
    number, first, first_role, _ = claim[0]
    if person_of(first) in ("", person_of(actor)):
        raise LifecycleError(
            f"{name} wants a second person: somebody other than {first}, who has declared it lost."
        )
    if conf.TWO_PERSON == "roles" and first_role in ("", role):
        raise LifecycleError(
            f"{name} wants a second person who has another role of the database than {first}."
        )
    return {"step": "lost", "request": number} | own


def _say(record: Record, using: str, **detail: Any) -> None:
    params = {"policy": record.policy, "model": record.model, "detail": json.dumps(detail)}
    fetch(using, statement(__file__, "say"), params)
