"""A mail server that knows which addresses there are, and guests whom the site warns."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from purge.models import NoticeMail
from purge.notices.send import send_due
from purge.runner import run_due
from tests.clock import pass_time
from tests.mailing import set_mail
from tests.purge.alerts.conftest import Mailbox
from tests.zoo.models import Guest

DAY = timedelta(days=1)
YEAR = 365  # days after which a guest ends


class Post(Mailbox):
    """What it answers by address, in place of taking the mail."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, str] = {}

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    @property
    def to(self) -> list[str]:
        return [str(mail["To"]) for mail in self.mails]


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    box = Post()
    set_mail(settings, box.port)
    box.start()
    yield box
    box.stop()
    NoticeMail.objects.all().delete()


def guest(days_ago: float, **values: Any) -> Guest:
    """Last seen so many days ago."""
    seen = timezone.now() - days_ago * DAY
    return Guest.objects.create(**{"email": "jo@example.com", "seen_at": seen} | values)


def go_on(days: float = 0, hours: float = 0) -> None:
    """Time passes; the worker comes, before and after the mails."""
    pass_time(days=days, hours=hours)
    run_due()
    send_due("default")
    run_due()
