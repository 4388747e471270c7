"""As the guide has it."""

from django.urls import path
from health_check.views import HealthCheckView

CHECKS = "lifecycle.metrics.health_checks."
NAMES = ("Database", "Worker", "Halted", "Published", "Restored")


class View(HealthCheckView):
    checks = [f"{CHECKS}Retention{name}" for name in NAMES]


urlpatterns = [path("health/retention", View.as_view())]
