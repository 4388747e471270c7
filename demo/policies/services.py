"""When a draft that nobody has published ends, and what keeps it."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from demo.models import Service, ServiceMedia, ServiceSession
from lifecycle import Policy, register

HAS_MEDIA = Q(Exists(ServiceMedia.objects.filter(service=OuterRef("pk"))))
HAS_SESSIONS = Q(Exists(ServiceSession.objects.filter(service=OuterRef("pk"))))

register(
    Policy(
        "draft-services",
        Service,
        when=Q(status=Service.Status.DRAFT),
        expires=F("created_at") + timedelta(hours=settings.DEMO_DRAFT_HOURS),
        grace=timedelta(days=settings.DEMO_DRAFT_GRACE_DAYS),
        keep_while={"media": HAS_MEDIA, "sessions": HAS_SESSIONS},
        identity=["pk", "created_at"],
    )
)
