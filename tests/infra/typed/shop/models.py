"""Models of a strict site, as the README has them, with types."""

from django.db import models

from lifecycle import LifecycleQuerySetMixin


class CartQuerySet(LifecycleQuerySetMixin, models.QuerySet["Cart"]):
    def unpaid(self) -> "CartQuerySet":
        return self.filter(paid=False)


class Cart(models.Model):
    paid = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CartQuerySet.as_manager()
