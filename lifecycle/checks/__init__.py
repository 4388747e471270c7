"""System checks of the policies; docs/reference/checks.md has a paragraph for each id.

manage.py check                                                 declarations, no database
manage.py check --database default --fail-level WARNING         also what is installed in it
"""

from typing import Any

from django.core.checks import CheckMessage, Tags, register

from lifecycle.checks.coverage import check_coverage
from lifecycle.checks.databases import DATABASES
from lifecycle.checks.expressions import EXPRESSIONS
from lifecycle.checks.files import check_files
from lifecycle.checks.groups import GROUPS
from lifecycle.checks.installed import check_database
from lifecycle.checks.media import check_media
from lifecycle.checks.metrics import check_metrics
from lifecycle.checks.notices import NOTICES, check_mail
from lifecycle.checks.options import OPTIONS
from lifecycle.checks.own_deletes import check_own_deletes
from lifecycle.checks.partitions import PARTITIONS
from lifecycle.checks.settings import check_project
from lifecycle.checks.stages import STAGES
from lifecycle.checks.tables import TABLES
from lifecycle.checks.windows import WINDOWS
from lifecycle.policy.registry import all_policies

#: `manage.py check --tag lifecycle` runs these only, and needs no database
TAG = "lifecycle"


@register(TAG, Tags.models)
def check_policies(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every registered policy against every check of its declaration."""
    wanted = None if app_configs is None else {config.label for config in app_configs}
    chosen = [p for p in all_policies() if wanted is None or p.model._meta.app_label in wanted]
    declared = (*TABLES, *DATABASES, *EXPRESSIONS, *OPTIONS)
    each = (*declared, *WINDOWS, *PARTITIONS, *GROUPS, *STAGES, *NOTICES)
    return [message for policy in chosen for check in each for message in check(policy)]


register(check_project, TAG, Tags.models)
register(check_files, TAG, Tags.models)
register(check_coverage, TAG, Tags.models)
register(check_media, TAG, Tags.models)
register(check_own_deletes, TAG, Tags.models)
register(check_metrics, TAG, Tags.urls)
register(check_mail, TAG, deploy=True)
# Not under TAG: from Django 6.1 on, `--tag` asks every database of the checks that it names.
register(check_database, Tags.database)
