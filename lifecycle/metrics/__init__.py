"""How retention stands, as numbers for monitoring: read from the database, whoever asks.

    lifecycle.metrics.views.metrics       the page that a Prometheus scrapes
    lifecycle.metrics.collector.register  onto the registry that django-prometheus serves
    lifecycle.metrics.health_checks       checks for django-health-check
    lifecycle.metrics.otel.observe        the same numbers for OpenTelemetry

Changes nothing. The packages that these are for are extras of this one.
"""
