"""The small site's only app."""

from django.apps import AppConfig


class HostConfig(AppConfig):
    """Its tables are `faults_...`."""

    name = "tests.faults.host"
    label = "faults"
