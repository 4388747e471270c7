"""System checks of `Archive(erased_with=...)`."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage

from lifecycle.exceptions import LifecycleError
from purge.checks import error, warning

TO_MEND = "Name a foreign key, the model's own key, or a column with its model."


def check_erased_with(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E010: archived rows cannot be told to be a person's, or nobody ever asks for it."""
    return [
        error(10, text, TO_MEND, policy.model)
        for policy in _declaring()
        for text in _problems(policy)
    ]


def check_kept(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W015: the bucket may keep what is erased. Asks it: with --deploy."""
    names = ", ".join(policy.name for policy in _declaring())
    if not names:
        return []
    from purge.archive.destinations import ArchiveBucket, destination

    try:
        where = destination()
        is_kept = isinstance(where, ArchiveBucket) and where.has_lock()
    except LifecycleError:
        return []  # purge.E004, or a store that does not answer: not for a check to say
    hint = "No default retention where such archives are, or a short one."
    text = f"{where.title} has Object Lock: rows of {names} that are erased may stay in it."
    return [warning(15, text, hint)] if is_kept else []


def _declaring() -> list[Any]:
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.policy.registry import all_policies

    return [each for each in all_policies() if getattr(each.disposition, "erased_with", None)]


def _problems(policy: Any) -> list[str]:
    from lifecycle.db.rows import home
    from lifecycle.policy.registry import policies_of
    from purge.erasure.archived import links

    try:
        found = links(policy)
    except LifecycleError as problem:
        return [str(problem)]
    targets = {each.target for each in found}
    others = [each for each in targets if home(each) != home(policy.model)]
    silent = [each for each in targets if not any(own.on_request for own in policies_of(each))]
    return [
        *(f"{policy.name}: rows of {each._meta.label} are in another database." for each in others),
        *(
            f"{policy.name}: no policy of {each._meta.label} has on_request=True, so that nobody"
            " is erased with whom archived rows would go."
            for each in silent
        ),
    ]
