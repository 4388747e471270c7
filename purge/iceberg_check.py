"""The system check of archives that are tables."""

from typing import Any

from django.core.checks import CheckMessage

from purge.checks import archiving_policies, warning

HINT = 'Archive(..., table="iceberg", every="1 month"), with capture=Window("1 day").'


def check_tables(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.W010: a table gets a file, and a version, from each pass that finds something."""
    return [
        warning(
            10, f"{policy.name} archives into a table without `every`: a file for each pass.",
            HINT, policy.model,
        )
        for policy in archiving_policies()
        if policy.disposition.table and not policy.disposition.every
    ]  # fmt: skip
