"""What people offer: drafts of it are begun and forgotten, with their pictures."""

from django.conf import settings
from django.db import models

from .base import Made


class Service(Made):
    """A service that somebody offers, or has begun to describe."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    title = models.CharField(max_length=200)
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="services"
    )

    def __str__(self) -> str:
        return self.title


class ServiceMedia(models.Model):
    """A picture, or another file, of a service."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="media")
    file = models.FileField(upload_to="services/%Y/%m/")

    class Meta:
        verbose_name_plural = "service media"

    def __str__(self) -> str:
        return self.file.name or ""


class ServiceSession(models.Model):
    """An appointment that somebody has booked."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="sessions")
    customer = models.EmailField()
    starts_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.service_id} {self.starts_at:%Y-%m-%d %H:%M}"
