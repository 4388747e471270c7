"""A strict stub of an S3 server, for the faults that no real server has on request.

It keeps objects in memory, refuses what S3 refuses (1,001 keys, a wrong MD5, SHA-256 or CRC32, a
delete without any checksum, an `If-None-Match` put over an object, a wrong access key), and fails
as it is told:

    strict.key_errors["media/a.jpg"] = "AccessDenied"      # inside a 200 of DeleteObjects
    strict.fail("DELETE_OBJECTS", 503, times=3)            # a burst
    strict.fail("PUT", CUT)                                # the connection ends mid-request
    strict.fail("DELETE_OBJECTS", CUT_AFTER)               # done, but nobody is told
    strict.fail("GET", TRUNCATE)                           # half of the body, then the end
    strict.fail("GET", FLIP)                               # one bit is another
    strict.fail("PUT", LOSE)                               # accepted, and not there
    strict.slow["LIST"] = 0.2                              # seconds

and differs from Amazon's for as long as it is told, as stores that speak S3 do:

    strict.always["DELETE_OBJECTS"] = (501, "NotImplemented")
    strict.needs_md5 = "MissingContentMD5"  # else DeleteObjects is refused

Signatures are not computed: the real server does that. `strict.calls` says what was asked, as
(operation, key or number of keys).
"""

import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import ThreadingHTTPServer
from typing import Any

from tests.s3.swift import Bucket, Server

CUT, CUT_AFTER, TRUNCATE, FLIP, LOSE = "cut", "cut after", "truncate", "flip", "lose"
KEY, SECRET = "strict", "strictsecret"


@dataclass
class Stored:
    """An object; `at` may be set to whatever time a test wants it to be from."""

    body: bytes
    at: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "binary/octet-stream"

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


class Strict(Server):
    """The stub: where it is, what it holds, how it is to fail."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint, KEY, SECRET)
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """No objects, no faults."""
        self.buckets: dict[str, dict[str, Stored]] = defaultdict(dict)
        self.uploads: dict[str, tuple[str, str, dict[int, bytes], dict[str, str]]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.key_errors: dict[str, str] = {}
        self.faults: dict[str, deque[Any]] = defaultdict(deque)
        self.slow: dict[str, float] = {}
        self.always: dict[str, tuple[int, str]] = {}
        self.needs_md5 = ""

    def fail(self, operation: str, how: Any, times: int = 1) -> None:
        """The next calls of an operation fail: an HTTP status, or one of the words above."""
        self.faults[operation].extend([how] * times)

    def bucket(self, versioned: bool = False) -> Bucket:
        """A fresh bucket; this server knows no versions."""
        assert not versioned
        return super().bucket()

    def count(self, operation: str) -> int:
        """How often an operation was asked for."""
        return sum(1 for name, _ in self.calls if name == operation)


@contextmanager
def running() -> Iterator[Strict]:
    """The stub in a thread of this process, on a free port, while the block lasts."""
    from tests.s3.strict_handler import Handler

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    strict = Strict(f"http://127.0.0.1:{server.server_address[1]}")
    Handler.strict = strict
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield strict
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
