"""Which weekly report was sent last."""

from django.db import models


class WeeklyReport(models.Model):
    """One row for each kind of report: the last week that was told, and the claim of the next.

    Whoever locks the row sends. `period` is the moment that the week ended with.
    """

    name = models.CharField(max_length=40, primary_key=True)
    period = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0, help_text="of the next one, so far")
    again_at = models.DateTimeField(null=True, help_text="nobody tries before: claimed, or failed")

    def __str__(self) -> str:
        return f"{self.name} {self.period:%Y-%m-%d}"
