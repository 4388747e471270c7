"""Rows of the demonstration by the state they are in; for the demo and for tests.

PendingRegistrationFactory()                 live
PendingRegistrationFactory(otp_expired=True) past the end of its one-time password
PendingRegistrationFactory(unconfirmed=True) older than the 60 minutes
UserOTPFactory(used=True)                    used a second ago; also `expired`, `forgotten`
UserFactory()                                verified; also `unverified`, `forgotten` (8 days)
ServiceFactory()                             a published one; also `draft`, `abandoned` (25 hours)
ServiceMediaFactory(service=...)             a file
ServiceSessionFactory(service=...)           an appointment
AuditLogFactory(old=True)                    31 days old
EmailSuppressionFactory(soft_old=True)       also `hard`, `complaint`, `stale` (91 days)
RefusedTokenFactory(expired=True)            IssuedTokenFactory(expired=True): simplejwt's
"""

from .registrations import PendingRegistrationFactory, UserOTPFactory
from .services import ServiceFactory, ServiceMediaFactory, ServiceSessionFactory
from .systems import (
    AuditLogFactory,
    EmailSuppressionFactory,
    IssuedTokenFactory,
    RefusedTokenFactory,
)
from .users import UserFactory

__all__ = [
    "AuditLogFactory",
    "EmailSuppressionFactory",
    "IssuedTokenFactory",
    "PendingRegistrationFactory",
    "RefusedTokenFactory",
    "ServiceFactory",
    "ServiceMediaFactory",
    "ServiceSessionFactory",
    "UserFactory",
    "UserOTPFactory",
]
