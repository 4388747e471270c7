"""A real SMTP server, to which the site sends its mail."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from lifecycle import signals
from tests.mailing import WAYS, set_mail
from tests.purge.worker.conftest import consumer  # noqa: F401 - a fixture


class Mailbox:
    """What the server has taken; it can be told to refuse, and be away."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.mails: list[EmailMessage] = []
        self.refused = 0
        self.refuses = False
        self.controller: Controller | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            self.refused += 1
            return "451 not now"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None

    @property
    def subjects(self) -> list[str]:
        # A long one is folded after its name, which leaves a space before it.
        return [str(mail["Subject"]).strip() for mail in self.mails]


@pytest.fixture
def mailbox(settings: Any, request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """The mail server of the site; a parameter says in which way its settings name it."""
    box = Mailbox()
    set_mail(settings, box.port, getattr(request, "param", WAYS[0]))
    box.start()
    yield box
    box.stop()


@pytest.fixture
def told() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The signals about troubles, as they come: name and arguments."""
    names = ("halted", "blocked", "capture_failed", "lagging", "held_deleted")
    found: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name in names:

        def receive(name: str = name, **given: Any) -> None:
            found.append((name, given))

        getattr(signals, name).connect(receive)
        receivers.append((name, receive))
    yield found
    for name, receive in receivers:
        getattr(signals, name).disconnect(receive)
