"""Django's sessions."""

from django.contrib.sessions.models import Session


class SiteSession(Session):
    """A proxy, so that the triggers' migration is ours."""

    class Meta:
        proxy = True
