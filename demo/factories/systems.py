"""Audit logs, suppressions, tokens."""

import factory
from django.conf import settings

from demo.models import AuditLog, EmailSuppression, IssuedToken, RefusedToken

from .times import ago


class AuditLogFactory(factory.django.DjangoModelFactory):
    """Something that somebody did a minute ago, unless a state is named."""

    actor = "jo"
    action = factory.Iterator(["login", "update", "delete"])
    target = factory.Sequence(lambda n: f"service:{n}")
    ip = "192.0.2.7"
    created_at = ago(minutes=1)
    detail = factory.Sequence(lambda n: {"request": n})

    class Meta:
        model = AuditLog

    class Params:
        old = factory.Trait(created_at=ago(days=settings.DEMO_AUDIT_LOG_DAYS + 1))


class EmailSuppressionFactory(factory.django.DjangoModelFactory):
    """A soft bounce of today, unless a state is named."""

    address = factory.Sequence(lambda n: f"bounced-{n}@example.com")
    kind = EmailSuppression.Kind.SOFT
    reason = "mailbox full"
    count = 1
    first_bounce_at = factory.SelfAttribute("last_bounce_at")
    last_bounce_at = ago(hours=1)

    class Meta:
        model = EmailSuppression

    class Params:
        hard = factory.Trait(kind=EmailSuppression.Kind.HARD, reason="no such user")
        complaint = factory.Trait(kind=EmailSuppression.Kind.COMPLAINT, reason="spam button")
        soft_old = factory.Trait(last_bounce_at=ago(days=settings.DEMO_SOFT_BOUNCE_DAYS + 1))
        stale = factory.Trait(
            last_bounce_at=ago(days=200),
            active=False,
            deactivated_at=ago(days=settings.DEMO_STALE_BOUNCE_DAYS + 1),
        )


class RefusedTokenFactory(factory.django.DjangoModelFactory):
    """A refused token that has not expired yet, unless a state is named."""

    jti = factory.Faker("uuid4")
    expires_at = ago(days=-1)

    class Meta:
        model = RefusedToken

    class Params:
        expired = factory.Trait(expires_at=ago(seconds=1))


class IssuedTokenFactory(factory.django.DjangoModelFactory):
    """A refresh token as simplejwt remembers it."""

    jti = factory.Faker("uuid4")
    token = factory.Faker("sha256")
    created_at = ago(minutes=1)
    expires_at = ago(days=-1)

    class Meta:
        model = IssuedToken

    class Params:
        expired = factory.Trait(expires_at=ago(seconds=1))
