"""A database that does not answer: nobody listens, or somebody does and says nothing."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection


@contextmanager
def away(silent: bool = False) -> Iterator[None]:
    """The test's own connection stays; new ones find nobody."""
    connection.ensure_connection()
    with socket.socket() as listener, pytest.MonkeyPatch.context() as patch:
        listener.bind(("127.0.0.1", 0))
        if silent:
            listener.listen()
        patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connection.settings_dict, "PORT", str(listener.getsockname()[1]))
        yield
