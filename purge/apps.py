"""The app that acts: the only part that deletes."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from lifecycle.hooks import register_acting_app
from lifecycle.management.extensions import add_subcommand
from purge.acting import PURGE
from purge.checks import (
    check_destination,
    check_folder,
    check_formats,
    check_lifecycle,
    check_lock,
    check_proof,
    check_public,
    check_queue,
    check_runs,
    check_setting,
    check_versions,
)
from purge.iceberg.views import make_views
from purge.iceberg_check import check_tables
from purge.outbox_check import check_told
from purge.queue import create_tables, queue
from purge.rewrite_check import check_erased_with, check_kept


class PurgeConfig(AppConfig):
    name = "purge"
    verbose_name = _("Purge")
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Huey's app ends the process where HUEY is missing and Redis is too, and takes a Redis of
        # its own otherwise. Where it comes after this app, a check says what is missing instead.
        self.lacks_queue = is_wanted("huey.contrib.djhuey") and not hasattr(settings, "HUEY")
        if self.lacks_queue:
            settings.HUEY = queue()

    def ready(self) -> None:
        from lifecycle.checks.files import check_files  # imports models

        register_acting_app(PURGE)
        add_subcommand("apply", "purge.management.subcommands.apply")
        add_subcommand("certificate", "purge.management.subcommands.certificate")
        add_subcommand("drill", "purge.management.subcommands.drill")
        add_subcommand("erase", "purge.management.subcommands.erase")
        add_subcommand("export", "purge.management.subcommands.export")
        add_subcommand("plan", "purge.management.subcommands.plan")
        add_subcommand("proof", "purge.management.subcommands.proof")
        add_subcommand("report", "purge.management.subcommands.report")
        add_subcommand("simulate", "purge.management.subcommands.simulate")
        add_subcommand("requests", "purge.management.subcommands.requests")
        add_subcommand("restore-report", "purge.management.subcommands.restore_report")
        register(check_lifecycle, "lifecycle", Tags.models)
        register(check_files, "lifecycle", Tags.models)  # where `lifecycle` is another's
        register(check_runs, "lifecycle", Tags.models)
        register(check_told, "lifecycle", Tags.models)
        register(check_formats, "lifecycle", Tags.models)
        register(check_tables, "lifecycle", Tags.models)
        register(check_destination, "lifecycle", Tags.models)
        register(check_public, "lifecycle", Tags.models)
        register(check_folder, "lifecycle", Tags.models)
        register(check_proof, "lifecycle", Tags.models)
        register(check_queue, "lifecycle", Tags.security)
        register(check_setting, "lifecycle", Tags.models)
        register(check_versions, "lifecycle", deploy=True)
        register(check_lock, "lifecycle", deploy=True)
        register(check_erased_with, "lifecycle", Tags.models)
        register(check_kept, "lifecycle", deploy=True)
        post_migrate.connect(create_tables, sender=self, dispatch_uid="purge.queue")
        post_migrate.connect(make_views, sender=self, dispatch_uid="purge.iceberg")


def is_wanted(app: str) -> bool:
    """Whether an app is in INSTALLED_APPS, while they are being loaded."""
    return app in settings.INSTALLED_APPS
