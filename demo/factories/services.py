"""Services, with their media and sessions."""

import factory
from django.conf import settings

from demo.models import Service, ServiceMedia, ServiceSession

from .times import ago
from .users import UserFactory


class ServiceFactory(factory.django.DjangoModelFactory):
    """A published service, unless a state is named."""

    title = factory.Sequence(lambda n: f"Service {n}")
    status = Service.Status.PUBLISHED
    owner = factory.SubFactory(UserFactory)
    created_at = ago(minutes=1)

    class Meta:
        model = Service

    class Params:
        draft = factory.Trait(status=Service.Status.DRAFT)
        abandoned = factory.Trait(
            status=Service.Status.DRAFT, created_at=ago(hours=settings.DEMO_DRAFT_HOURS + 1)
        )


class ServiceMediaFactory(factory.django.DjangoModelFactory):
    """A file in the storage, and its row."""

    service = factory.SubFactory(ServiceFactory)
    file = factory.django.FileField(filename="picture.png", data=b"not really a picture")

    class Meta:
        model = ServiceMedia


class ServiceSessionFactory(factory.django.DjangoModelFactory):
    """An appointment tomorrow."""

    service = factory.SubFactory(ServiceFactory)
    customer = factory.Sequence(lambda n: f"customer-{n}@example.com")
    starts_at = ago(days=-1)

    class Meta:
        model = ServiceSession
