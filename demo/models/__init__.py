"""The systems of a site that fill up by themselves, a module each."""

from .audit import AuditLog
from .base import Made, Retained, RetainedQuerySet
from .registrations import PendingRegistration, UserOTP
from .reports import WeeklyReport
from .services import Service, ServiceMedia, ServiceSession
from .sessions import SiteSession
from .suppressions import EmailSuppression
from .tokens import IssuedToken, RefusedToken
from .users import User

__all__ = [
    "AuditLog",
    "EmailSuppression",
    "IssuedToken",
    "Made",
    "PendingRegistration",
    "RefusedToken",
    "Retained",
    "RetainedQuerySet",
    "Service",
    "ServiceMedia",
    "ServiceSession",
    "SiteSession",
    "User",
    "UserOTP",
    "WeeklyReport",
]
