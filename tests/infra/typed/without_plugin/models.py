"""The models of a strict site as pyright reads them: it has no plugin for Django.

Without one a field's types are what is written, and `as_manager()` gives a plain manager.
"""

from datetime import datetime
from typing import ClassVar, cast

from django.db import models

from lifecycle import LifecycleQuerySetMixin


class CartQuerySet(LifecycleQuerySetMixin, models.QuerySet["Cart"]):
    def unpaid(self) -> "CartQuerySet":
        return self.filter(paid=False)


class Cart(models.Model):
    paid: "models.BooleanField[bool, bool]" = models.BooleanField(default=False)
    created_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[CartQuerySet] = cast(CartQuerySet, CartQuerySet.as_manager())
