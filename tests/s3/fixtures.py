"""S3 servers for every test that asks for one; what they import is read only then."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.s3.strict import Strict
    from tests.s3.swift import Server


@pytest.fixture(scope="session")
def s3_server() -> Iterator["Server"]:
    """A real S3 server, for all tests of this process; `s3_server.bucket()` is fresh."""
    if sys.platform != "linux":
        pytest.skip("Swift's parts have wheels for Linux only")
    from tests.s3 import swift

    with swift.running() as server:
        yield server


@pytest.fixture(scope="session")
def _strict_server() -> Iterator["Strict"]:
    from tests.s3 import strict

    with strict.running() as server:
        yield server


@pytest.fixture
def strict_s3(_strict_server: "Strict") -> "Strict":
    """A strict stub of our own without faults or objects; tests script its faults."""
    _strict_server.reset()
    return _strict_server
