"""Which tables have their files watched, and how long a file stays that no row names any more.

Watched is every table with file fields that is under a policy, from which rows may go along with a
row that a policy ends, or that `track_media` names. Each table of an inheritance chain is watched
by itself. Triggers (see `media_triggers`) record a name that a DELETE, UPDATE or TRUNCATE has taken
out of a field, whoever ran it; nothing here touches a file.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import FileField, Model

from lifecycle.exceptions import PolicyError
from lifecycle.policy.coverage import taken_along
from lifecycle.policy.packages import is_installed
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of

DAY = timedelta(days=1)
LONGEST = timedelta(days=36_525)  # a century: later times could be none of PostgreSQL's


class WatchedTable(NamedTuple):
    """A table whose files are watched.

    model    whose app has the triggers' migration: of a table that is not yours, a proxy
    grace    how long a file stays that the site itself has deleted or replaced
    """

    model: type[Model]
    grace: timedelta


_tracked: dict[Any, WatchedTable] = {}


def track_media(model: type[Model], grace: timedelta = DAY) -> None:
    """Declare, in `<app>/policies.py`, that files of a model are deleted when no row names them.

    Also sets the grace of a model whose files are watched anyway: how long a file stays that the
    site itself has deleted or replaced. What a policy ends has had its grace and goes at once.
    For a model of an installed package give a proxy in an app of your own. The next
    `makemigrations` writes the triggers. Raises `PolicyError` where the model has no file field of
    its own, is declared twice, or the grace is none.
    """
    concrete: Any = getattr(getattr(model, "_meta", None), "concrete_model", None)
    if concrete is None or not isinstance(model, type):
        raise PolicyError(f"track_media() takes a concrete model class, not {model!r}.")
    label = concrete._meta.label
    if not file_fields(model):
        raise PolicyError(f"track_media({label}): the model's own table has no file field.")
    if not isinstance(grace, timedelta) or not timedelta(0) <= grace <= LONGEST:
        raise PolicyError(f"track_media({label}): grace must be a timedelta of up to 100 years.")
    if concrete in _tracked:
        raise PolicyError(f"track_media({label}) is declared twice.")
    _tracked[concrete] = WatchedTable(model, grace)


def tracked() -> list[WatchedTable]:
    """What `track_media` has declared."""
    return list(_tracked.values())


def file_fields(model: type[Model]) -> list[FileField]:
    """The file fields of the model's own table."""
    own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
    return [field for field in own.local_concrete_fields if isinstance(field, FileField)]


def watched() -> list[WatchedTable]:
    """Every table that gets media triggers, by its label."""
    known = {model: _on(model) for model in _reached()} | _tracked
    found = [each for model, each in known.items() if _can_have_triggers(each.model)]
    return sorted(found, key=lambda each: each.model._meta.concrete_model._meta.label)  # type: ignore[union-attr]


def unwatched() -> list[type[Model]]:
    """Tables whose files a policy leaves behind, for no trigger can be put on them, by label."""
    found = _reached() - {each.model._meta.concrete_model for each in watched()}
    return sorted(found, key=lambda model: model._meta.label)


def _reached() -> set[Any]:
    """The models with file fields of which a policy may end or change rows."""
    found = {model for policy in all_policies() for model in ended_by(policy)}
    return {model for model in found if file_fields(model)}


def ended_by(policy: Policy) -> Iterator[Any]:
    """The models of which the policy may end or change rows."""
    own: Any = policy.model._meta.concrete_model
    yield own
    yield from own._meta.get_parent_list()
    yield from (model._meta.concrete_model for model in taken_along(policy))


def _on(model: Any) -> WatchedTable:
    """The table by its own model, or by the proxy on which its policies have their triggers."""
    carriers = [policy.model for policy in policies_of(model) if policy.capture.triggers]
    return WatchedTable(carriers[0] if carriers else model, DAY)


def _can_have_triggers(model: Any) -> bool:
    """Whether migrations of this site can bring triggers, and its policies allow them."""
    concrete = model._meta.concrete_model
    policies = policies_of(concrete) if concrete not in _tracked else []
    refused = policies and not any(policy.capture.triggers for policy in policies)
    return bool(concrete._meta.managed and not refused and not is_installed(model))
