"""System check of the worker's app; those of the policies are in `lifecycle`."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error


def check_lifecycle(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E001: there is nothing to run without `lifecycle`."""
    if apps.is_installed("lifecycle"):
        return []
    hint = (
        "Add 'lifecycle' to INSTALLED_APPS, before 'purge'. (docs/reference/checks.md#purge-e001)"
    )
    return [Error("'purge' is installed without 'lifecycle'.", hint=hint, id="purge.E001")]
