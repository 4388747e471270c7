"""A line to the server that is cut at the worst moment: after COMMIT, before its answer."""

import socket
import threading
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import connection


class Proxy:
    """Passes TCP connections on to the test server.

    `cuts` says how many COMMITs to cut, of transactions that name a table.
    """

    def __init__(self, table: bytes) -> None:
        self.table = table
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.cuts, self.done = 0, 0
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Cut every line, and take no more."""
        _end(self.listener, *self._lines)
        for thread in self._threads:
            thread.join()
        for each in (self.listener, *self._lines):
            each.close()

    def _start(self, call: Any, *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=call, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = _connect()
                except OSError:  # nobody is there at the moment
                    client.close()
                    continue
                self._lines += (client, server)
                cut = threading.Event()
                self._start(self._to_server, client, server, cut)
                self._start(self._to_client, client, server, cut)

    def _to_server(self, client: Any, server: Any, cut: threading.Event) -> None:
        named = False
        with suppress(OSError):
            while data := client.recv(65536):
                named = named or self.table in data
                if b"COMMIT" in data.replace(b"READ COMMITTED", b""):
                    if named and self._take():
                        cut.set()
                    named = False
                server.sendall(data)
        _end(client, server)

    def _to_client(self, client: Any, server: Any, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if cut.is_set():  # the answer: it has committed, and nobody is told
                    break
                client.sendall(data)
        _end(client, server)

    def _take(self) -> bool:
        with self._lock:
            if self.done >= self.cuts:
                return False
            self.done += 1
            return True


def _connect() -> socket.socket:
    entry = connection.settings_dict
    host, port = str(entry["HOST"] or "localhost"), str(entry["PORT"] or 5432)
    if not settings.EMBEDDED_DATABASE and not host.startswith("/"):
        return socket.create_connection((host, int(port)))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
