"""A check of the address at which metrics are served."""

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.urls import URLPattern, URLResolver, get_resolver

from lifecycle.checks.messages import error

VIEWS = "lifecycle.metrics.views"
HARMLESS = "django.views.decorators."  # caching, methods, CSRF: none of them asks who it is


def check_metrics(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """E036: metrics are shown to everybody who knows the address."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    views = [*_views(get_resolver().url_patterns)]  # imports them all
    open_view = getattr(sys.modules.get(VIEWS), "unguarded", None)
    if open_view is None:  # no address names it
        return []
    text = "{} shows metrics to everybody: names of policies and tables, and how many rows end."
    hint = (
        "Give it views.metrics, which wants LIFECYCLE_METRICS_TOKEN or staff, or put a decorator of"
        " yours around views.unguarded."
    )
    return [
        error(36, text.format(repr(address)), hint)
        for address, view in views
        if _is_open(view, open_view)
    ]


def _is_open(view: Any, open_view: Any) -> bool:
    """Whether nothing is around it but decorators of Django that let everybody in."""
    while view is not open_view:
        if not getattr(view, "__globals__", {}).get("__name__", "").startswith(HARMLESS):
            return False
        view = getattr(view, "__wrapped__", None)
    return True


def _views(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _views(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            yield address, each.callback
