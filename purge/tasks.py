"""What a worker finds here: Huey's tasks where the site has Huey, `tick` where Django has tasks."""

from typing import TYPE_CHECKING

import django
from django.apps import apps
from django.conf import settings

from purge.worker.whole_pass import Done, run_all

if TYPE_CHECKING or apps.is_installed("huey.contrib.djhuey"):
    from purge.worker.heartbeat import heartbeat, start_pulse
    from purge.worker.jobs import backfill_task, media_task, run_policy_task

    __all__ = ["backfill_task", "heartbeat", "media_task", "run_policy_task", "start_pulse"]


def _place() -> tuple[str, str]:
    """Backend and queue of `tick`: Django's defaults, or the site's first where it has no such."""
    known = settings.TASKS
    backend = "default" if "default" in known else next(iter(known))
    queues = known[backend].get("QUEUES") or ["default"]
    return backend, "default" if "default" in queues else next(iter(queues))


if django.VERSION >= (6, 0) and settings.TASKS:
    from django.tasks import task

    BACKEND, QUEUE = _place()

    @task(backend=BACKEND, queue_name=QUEUE)
    def tick(seconds: float | None = None) -> Done:
        """One pass over everything that is due, for a site whose worker is not Huey.

        What `manage.py purge` does, and what Huey's heartbeat does besides. Begins no batch after
        `seconds`, if they are given. Enqueue it as often as the site wants; two at once do no harm.
        Not inside a transaction: each batch is one of its own.
        """
        return run_all(seconds)
