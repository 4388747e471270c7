"""What a witness remembers: of each log the size and root that it signed last, in one file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lifecycle.proof.encoding import to_base64, without_controls
from lifecycle.proof.errors import Malformed, ProofError
from lifecycle.proof.plain import dump, hash_of, load, number_of, object_of
from lifecycle.proof.tree import EMPTY_ROOT


class Head(NamedTuple):
    """A tree that was signed."""

    size: int
    root: bytes


NOTHING = Head(0, EMPTY_ROOT)


class State:
    """The heads by origin. A change is on the disk, whole, before `put` returns.

    One process has the file at a time: two would each sign what the other has not seen.
    """

    def __init__(self, path: str, heads: dict[str, Head]) -> None:
        self.path, self._heads = path, heads

    def get(self, origin: str) -> Head:
        """What was signed last of a log."""
        return self._heads.get(origin, NOTHING)

    def put(self, origin: str, head: Head) -> None:
        """Remember a head; when this raises, the earlier one is still remembered."""
        heads = self._heads | {origin: head}
        write(self.path, heads)
        self._heads = heads


@contextmanager
def opened(path: str) -> Iterator[State]:
    """The state of a file that is there, alone; raises `ProofError`, or `OSError`."""
    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ProofError(f"another witness has {path}") from error
        with open(path, "rb") as file:
            heads = parse(file.read())
        yield State(path, heads)


def create(path: str) -> None:
    """Begin a state that knows no log; raises `FileExistsError` where there is one."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    write(path, {})


def parse(data: bytes) -> dict[str, Head]:
    """The heads as `write` writes them; raises `Malformed`: a damaged state signs nothing."""
    found = load(without_controls(data).removesuffix("\n"))
    if not isinstance(found, dict):
        raise Malformed("no state of a witness")
    return {origin: _head(each) for origin, each in found.items()}


def _head(plain: object) -> Head:
    found = object_of(plain, {"size", "root"})
    return Head(number_of(found["size"]), hash_of(found["root"]))


def write(path: str, heads: dict[str, Head]) -> None:
    """Put the heads in the place of the file, after they are on the disk."""
    plain = {o: {"root": to_base64(head.root), "size": head.size} for o, head in heads.items()}
    with open(f"{path}.new", "wb") as file:
        file.write(f"{dump(plain)}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
