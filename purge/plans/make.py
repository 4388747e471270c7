"""Making a plan: the rows that are meant, each by its key and version, and what it would do.

Made in one transaction of its own; no row of the site's is changed or locked by it.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import label_of_model
from lifecycle.db.connection import DENIED, own_transaction, scalar, sqlstate
from lifecycle.db.rows import every_row, home
from lifecycle.db.tables import is_elsewhere
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.many import holds_of, note_plan, refuse_to_plan
from lifecycle.ledger.write import elsewhere, refuse_singly, refuse_unnamed
from lifecycle.logs import Log
from lifecycle.phrases import phrase
from lifecycle.policy.policy import Policy
from purge.batch.cascade.written import Epoch
from purge.models import Plan, PlanPart
from purge.passes.options import PassOptions, Planned
from purge.plans.declared import declared
from purge.plans.refusals import MOST_EXCEPTIONS, refuse_what_cannot_be
from purge.runner import run_policy
from purge.sources.planned import digests
from purge.sources.versions import epoch_of, refuse_untold, version_of

PART = 10_000  # rows of a part: no event lists more
UNTRIED = phrase("the worker tries it, this process may not: what would go is not known before")
TRIED = 1_000  # rows of which a dry run says what becomes of them

log = Log("purge")


def plan(
    act: str, rows: "QuerySet[Any]", reason: str, policy: str = "", reference: str = "",
    until: datetime | None = None, actor: str = "", using: str | None = None,
    asked: Sequence[tuple[str, str]] = (), once: UUID | None = None, cause: str = "",
) -> Plan:  # fmt: skip
    """Write down what is to be done to every row that a queryset finds now; nothing is done yet.

    act        `hold`, `release` (those holds that stand now, under `reference` if it is given),
               `restore`, `extend` (restored until `until`), `purge` (now, without the grace)
    policy     of `purge`, `restore`, `extend`; may be left out where the model has only one
    asked      the conditions, for people: kept in the plan's own row until it is over
    once       a number: of two plans with the same one, the second is an `IntegrityError`
    cause      of its event; else that of `lifecycle.context`

    Not inside a transaction. `apply` carries it out. Raises `LifecycleError` where no row is found,
    nobody says who or why, or the act is not one for these rows.
    """
    model: Any = rows.model._meta.concrete_model
    using = using or home(model)
    actor = actor or in_context("actor", using)
    refuse_to_plan(using)
    known = refuse_what_cannot_be(act, model, policy, reason, reference, until, actor)
    refuse = refuse_unnamed if act == "hold" else refuse_singly
    refuse(model)
    refuse_untold(model, using, ends=act == "purge")
    if is_elsewhere(using, [model]):
        raise LifecycleError(elsewhere(model))
    if act == "purge" and known:
        rows = every_row(model, using).filter(known.when, pk__in=_keys(rows))
    made = Plan(act=act, model=label_of_model(model), reason=reason, reference=reference)
    made.until, made.maker, made.asked = until, actor[:200], [list(each) for each in asked]
    made.once = once
    made.policy, made.fingerprint = (known.name, declared(known, using)) if known else ("", "")
    with own_transaction(using), context(actor, cause or in_context("cause", using), using):
        _write(made, rows, using)
    if known and act == "purge":
        _try(made, known, using)
    named = {"plan": made.pk, "act": act, "model": made.model, "count": made.rows}
    log("planned", f"plan {made.pk}: {act}, {made.rows} rows", **named, database=using)
    return made


def hash_of(plan: Plan, of_parts: list[str]) -> str:
    """The hash of what a plan does to which rows; not of how they were found, by values."""
    until = plan.until.timestamp() if plan.until else None
    said = [plan.act, plan.model, plan.policy, plan.fingerprint, plan.reason, plan.reference]
    text = json.dumps([plan.pk, *said, until, plan.maker, plan.rows, of_parts])
    return hashlib.sha256(text.encode()).hexdigest()


def step_of(plan: Plan, step: str, using: str, rows: int | None = None) -> int:
    """Record a step of a plan in the ledger: no value of a condition."""
    detail = {"step": step, "act": plan.act, "number": plan.pk, "hash": plan.hash}
    detail["asked"] = [name for name, _ in plan.asked]
    count = plan.rows if rows is None else rows
    return note_plan(plan.model, plan.policy, using, **detail, rows=count)


def _write(made: Plan, rows: "QuerySet[Any]", using: str) -> None:
    model: Any = rows.model._meta.concrete_model
    made.made_at = scalar(using, "SELECT lifecycle.now_v1()")
    made.save(using=using)
    epoch = epoch_of(model, using)  # before the rows are read: what is written later is newer
    for number, part in enumerate(_parts(_found(model, rows, using))):
        made.rows += _write_part(made, model, number, part, epoch, using)
    if not made.rows:
        raise LifecycleError(phrase("No row of %(model)s matches.", model=model._meta.label))
    if made.rows > MOST_EXCEPTIONS and made.act in ("hold", "restore", "extend"):
        raise LifecycleError(
            phrase(
                "%(rows)s rows are too many to %(act)s one by one, at most "
                "%(most_exceptions)s: hold or change the policy.",
                rows=made.rows,
                act=made.act,
                most_exceptions=MOST_EXCEPTIONS,
            )
        )
    made.digests = digests(made.pk, using)
    made.hash = hash_of(made, made.digests)
    made.made = step_of(made, "made", using)
    made.save(using=using)


def _found(model: Any, rows: "QuerySet[Any]", using: str) -> Iterator[tuple[str, str]]:
    """Key and version of each row, by one statement: of one moment."""
    found = every_row(model, using).filter(pk__in=_keys(rows)).order_by("pk")
    version = RawSQL(version_of(model), [])  # noqa: S611 - names, quoted
    yield from found.values_list(KeyText("pk"), version).iterator(chunk_size=PART)


def _keys(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return (rows if rows.query.is_sliced else rows.order_by()).values("pk")


def _parts(found: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    part: list[tuple[str, str]] = []
    for row in found:
        part.append(row)
        if len(part) == PART:
            yield part
            part = []
    if part:
        yield part


def _write_part(
    made: Plan, model: type[Model], number: int, rows: list[tuple[str, str]], epoch: Epoch,
    using: str,
) -> int:  # fmt: skip
    held: dict[str, list[int]] = {}
    if made.act == "release":
        held = holds_of(model, [key for key, _ in rows], using, made.reference)
        rows = [row for row in rows if row[0] in held]
    PlanPart.objects.using(using).create(
        plan=made, number=number, keys=[key for key, _ in rows],
        versions=[version for _, version in rows], epoch=epoch.name, since=epoch.since,
        running=list(epoch.running),
        holds=[held[key] for key, _ in rows] if held else [],
    )  # fmt: skip
    return len(rows)


def _try(made: Plan, policy: Policy, using: str) -> None:
    """Note what a dry run of the first rows says: how many would go, and what goes along."""
    tried = Planned(made.pk, made.digests, actor=made.maker)
    options = PassOptions("plan", using=using, dry=True, any_hour=True, limit=TRIED, plan=tried)
    try:
        done = run_policy(policy, options)
    except DatabaseError as error:
        if sqlstate(error) != DENIED:
            raise
        made.shown |= {"stopped": UNTRIED}
        made.save(using=using, update_fields=["shown"])
        return
    counts = {name: count for name, count in done.counts().items() if count}
    made.shown |= {"tried": done.looked, "would": counts, "along": dict(tried.along)}
    made.shown |= {"stopped": done.stopped} if done.stopped else {}
    made.save(using=using, update_fields=["shown"])
