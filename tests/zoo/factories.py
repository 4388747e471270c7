"""Rows of the zoo, named by the state that they are in."""

import uuid
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from tests.zoo.models import (
    Account,
    Attachment,
    Comment,
    Contract,
    Coupon,
    Document,
    Draft,
    Legacy,
    Line,
    Odd,
    Order,
    Person,
    Picture,
    Preference,
    Reading,
    Report,
    Ticket,
    Token,
)

PAST, FUTURE = timedelta(minutes=-5), timedelta(days=2)


def moment(offset: timedelta) -> factory.LazyFunction:
    """A time relative to the moment at which the row is made."""
    return factory.LazyFunction(lambda: timezone.now() + offset)


class LiveTokenFactory(DjangoModelFactory):
    class Meta:
        model = Token

    expires_at = moment(FUTURE)


class EternalTokenFactory(LiveTokenFactory):
    expires_at = None


class ExpiredTokenFactory(LiveTokenFactory):
    expires_at = moment(PAST)


class InactiveTokenFactory(ExpiredTokenFactory):
    """Past its end, but outside `when`."""

    active = False


class LiveDraftFactory(DjangoModelFactory):
    class Meta:
        model = Draft

    created_at = moment(timedelta(0))


class ExpiredDraftFactory(LiveDraftFactory):
    created_at = moment(timedelta(days=-2))


class PublishedDraftFactory(ExpiredDraftFactory):
    status = "live"


class PictureFactory(DjangoModelFactory):
    """A draft that is past its end and kept."""

    class Meta:
        model = Picture

    draft = factory.SubFactory(ExpiredDraftFactory)


class ContractFactory(DjangoModelFactory):
    """A draft that is past its end and protected."""

    class Meta:
        model = Contract

    draft = factory.SubFactory(ExpiredDraftFactory)


class ExpiredTicketFactory(DjangoModelFactory):
    class Meta:
        model = Ticket

    expires_at = moment(PAST)


class ExpiredCouponFactory(DjangoModelFactory):
    class Meta:
        model = Coupon

    code = factory.LazyFunction(lambda: uuid.uuid4().hex)
    expires_at = moment(PAST)


class ExpiredOddFactory(DjangoModelFactory):
    class Meta:
        model = Odd

    select = moment(PAST)


class ExpiredDocumentFactory(DjangoModelFactory):
    class Meta:
        model = Document

    expires_at = moment(PAST)


class ExpiredReportFactory(DjangoModelFactory):
    class Meta:
        model = Report

    expires_at = moment(PAST)


class ExpiredReadingFactory(DjangoModelFactory):
    class Meta:
        model = Reading

    region = "north"
    expires_at = moment(PAST)


class ExpiredLegacyFactory(DjangoModelFactory):
    class Meta:
        model = Legacy

    expires_at = moment(PAST)


class IdleAccountFactory(DjangoModelFactory):
    """Past its end and past the grace of its `Update`."""

    class Meta:
        model = Account

    email = "somebody@example.org"
    seen_at = moment(timedelta(days=-31))


class PersonFactory(DjangoModelFactory):
    class Meta:
        model = Person

    name = "Ada"


class ExpiredPreferenceFactory(DjangoModelFactory):
    class Meta:
        model = Preference

    created_at = moment(timedelta(days=-2))
    data = factory.LazyFunction(lambda: {"days": 1})


class UnparsablePreferenceFactory(ExpiredPreferenceFactory):
    """Its policy's expression raises."""

    data = factory.LazyFunction(lambda: {"days": "secret-number"})


class ExpiredOrderFactory(DjangoModelFactory):
    class Meta:
        model = Order

    expires_at = moment(PAST)
    grace = timedelta(hours=1)


class LineFactory(DjangoModelFactory):
    """An order past its end with a line."""

    class Meta:
        model = Line

    order = factory.SubFactory(ExpiredOrderFactory)


class ExpiredCommentFactory(DjangoModelFactory):
    class Meta:
        model = Comment

    expires_at = moment(PAST)


class AttachmentFactory(DjangoModelFactory):
    """A comment past its end with an attachment."""

    class Meta:
        model = Attachment

    comment = factory.SubFactory(ExpiredCommentFactory)
