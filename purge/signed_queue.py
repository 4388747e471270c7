"""Huey's queues with signed messages: what this site has not written itself is never unpickled.

A message is a pickle, and reading a pickle can run any code. Whoever may INSERT into the queue's
table, or reaches Redis, could otherwise run theirs in the worker. A signed message still can be
sent twice by somebody who has read it: tasks have to bear that, as those of this package do.
"""

import hmac
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

import huey
from django.conf import settings
from django.core.signing import BadSignature
from django.utils.crypto import salted_hmac
from huey.serializer import Serializer

from lifecycle.logs import Log

SALT = "purge.signed_queue"
LENGTH = 32  # bytes of a signature, which stands after the message
PERIOD = 60.0  # seconds between two records about messages dropped for one cause

log = Log("purge")


class SignedSerializer(Serializer):
    """Signs with a key derived from SECRET_KEY; also SECRET_KEY_FALLBACKS are good for reading.

    Whatever is not signed raises BadSignature before anything else looks at it.
    """

    def serialize(self, data: Any) -> bytes:
        message: bytes = super().serialize(data)
        return message + _signature(message, settings.SECRET_KEY)

    def deserialize(self, data: bytes) -> Any:
        message, signature = bytes(data[:-LENGTH]), bytes(data[-LENGTH:])
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        if not any(hmac.compare_digest(signature, _signature(message, key)) for key in keys):
            raise BadSignature("not signed by this site")
        return super().deserialize(message)


def _signature(message: bytes, key: str | bytes) -> bytes:
    return salted_hmac(SALT, message, secret=key, algorithm="sha256").digest()


class Dropped:
    """Counts what is dropped; writes one record for each cause and minute, without the content."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, error: Exception) -> None:
        """A message could not be read for this error."""
        cause, now = type(error).__name__, time.monotonic()
        with self._lock:
            self._counts[cause] += 1
            if now - self._told.get(cause, -PERIOD) < PERIOD:
                return
            self._told[cause] = now
            count = self._counts.pop(cause)
        log("message_dropped", f"message dropped from the queue: {cause}", cause=cause, count=count)


class SignedHuey(huey.Huey):
    """Drops messages that cannot be read, and goes on with the next one.

    Nothing of the engine's is lost with them: what is due stands on the agenda, and is asked for
    again. A revocation that is not signed revokes nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = SignedSerializer()
        self.dropped = Dropped()
        super().__init__(*args, **kwargs)

    def dequeue(self) -> Any:
        data = self.storage.dequeue()
        return None if data is None else self._read(data)

    def _deserialize_all(self, messages: list[bytes]) -> list[Any]:
        return [task for task in map(self._read, messages) if task is not None]

    def _read(self, data: bytes) -> Any:
        """The message's task; None for one that was dropped."""
        try:
            return self.deserialize_task(data)
        except Exception as error:
            self.dropped.note(error)
            return None

    def _check_revoked(
        self, data: Any, timestamp: datetime | None = None, peek: bool = True
    ) -> tuple[bool, bool]:
        try:
            revoked: tuple[bool, bool] = super()._check_revoked(data, timestamp, peek)
        except BadSignature as error:
            self.dropped.note(error)
            return False, False
        return revoked


class PostgresHuey(SignedHuey, huey.PostgresHuey):
    """The queue in the site's own database."""


class RedisHuey(SignedHuey, huey.RedisHuey):
    """The queue in Redis."""
