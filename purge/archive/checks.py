"""System checks of archives."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error

DOCS = "docs/reference/checks.md"


def check_formats(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E003: a format needs what is not installed."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.dispositions import Archive
    from lifecycle.registry import all_policies

    from .formats import FORMATS

    found = [
        (policy, name)
        for policy in all_policies()
        if isinstance(policy.disposition, Archive)
        for name in policy.disposition.formats
        if FORMATS[name].missing
    ]
    return [
        Error(
            f"{policy.name} archives as {name}, which is not installed.",
            hint=f"{FORMATS[name].missing} ({DOCS}#purge-e003)",
            obj=policy.model,
            id="purge.E003",
        )
        for policy, name in found
    ]
