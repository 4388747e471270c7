"""Messages of the queue, signed: nothing is unpickled that this site has not written itself.

Whoever may write into the queue, a table or a Redis, would else run any code in the worker, for
Huey's messages are pickles.
"""

import hmac
import pickle
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.utils.crypto import salted_hmac
from huey.serializer import Serializer

SALT = "purge.queue"
SIZE = 32  # bytes of a signature by SHA-256


class SignedMessages(Serializer):
    """Huey's serializer with a signature by a key that is derived from `SECRET_KEY`.

    Read are also messages signed by `SECRET_KEY_FALLBACKS`. One with another signature, or none, is
    refused with `BadSignature` before any of it is read: Huey drops it and logs a line. What fell
    due then waits for the next beat, for the queue only wakes the worker. A signed message that is
    written a second time wakes it once more; signatures do not prevent that.
    """

    def _serialize(self, data: Any) -> bytes:
        message = pickle.dumps(data, self.pickle_protocol)
        return _signature(settings.SECRET_KEY, message) + message

    def _deserialize(self, data: bytes) -> Any:
        signature, message = bytes(data[:SIZE]), bytes(data[SIZE:])
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        if not any(hmac.compare_digest(signature, _signature(key, message)) for key in keys):
            raise BadSignature("A message of the queue was not signed by this site.")
        return pickle.loads(message)  # noqa: S301 - its signature is this site's


def _signature(key: str | bytes, message: bytes) -> bytes:
    return salted_hmac(SALT, message, secret=key, algorithm="sha256").digest()
