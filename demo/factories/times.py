"""Times relative to the moment at which a row is made."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone


def ago(**span: float) -> Any:
    """A time before that moment; a negative span is one after it."""
    return factory.LazyFunction(lambda: timezone.now() - timedelta(**span))
