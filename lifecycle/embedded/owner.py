"""As whom the server runs where root starts it: a uid of its own, which nobody else has.

PostgreSQL refuses to run as root. A shared account such as `nobody` would make every other process
of that account the server's superuser: by its files, by signals, by its socket. A uid needs no
entry in /etc/passwd to run a process, so one is taken that has none, from numbers that no
distribution gives out, and it stays with the data folder as its owner.

`initdb` alone asks for the name of its uid. It runs as `nobody` with the server's own group, in a
folder that only this group may enter: to another process of `nobody` it is closed, and so is
`initdb` itself, as the kernel lets nobody look into a process of another group.
"""

import fcntl
import grp
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lifecycle.exceptions import EmbeddedError

# Between what systemd gives to homes and to dynamic users, and below what a container may lack.
NUMBERS = range(60578, 61184)


@dataclass(frozen=True)
class Owner:
    """Who owns the data and runs the server; group and user have one number."""

    uid: int

    @property
    def gid(self) -> int:
        return self.uid


def owner_of(home: Path) -> Owner | None:
    """Whose the server in `home` is; None where it is our own user's, or has not been started."""
    if os.geteuid() != 0 or not (home / "data").exists():
        return None
    return Owner((home / "data").stat().st_uid)


def choose(home: Path) -> Owner | None:
    """A uid for the server in `home`, the same as before if it is still free; None if not root.

    No server may run there. What the data folder holds is given to that uid.
    """
    if os.geteuid() != 0:
        return None
    lock = os.open(home.parent / "uids", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two checkouts must not find the same one free
        owner = Owner(_free(home))
        _give(home / "socket", owner)
        if (home / "data").exists():
            _give(home / "data", owner)
        return owner
    finally:
        os.close(lock)


def _free(home: Path) -> int:
    before, start = owner_of(home), int.from_bytes(sha256(os.fsencode(home)).digest()[:4], "big")
    turned = [NUMBERS[(start + step) % len(NUMBERS)] for step in range(len(NUMBERS))]
    if before and before.uid in NUMBERS:
        turned.insert(0, before.uid)
    taken = {*_running(), *_of_other_checkouts(home)}
    for uid in turned:
        if uid not in taken and _is_mapped(uid) and not _is_known(uid):
            return uid
    raise EmbeddedError(
        f"there is no free uid from {NUMBERS[0]} to {NUMBERS[-1]}: set DATABASE_URL"
    )


def _is_known(uid: int) -> bool:
    """Whether the system has a user or a group of that number."""
    for ask in (pwd.getpwuid, grp.getgrgid):
        try:
            ask(uid)
        except KeyError:
            continue
        return True
    return False


def _running() -> Iterator[int]:
    """The uids and gids of every process that can be seen."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = status.read_text().splitlines()
        except OSError:
            continue  # it has ended
        for line in lines:
            if line.startswith(("Uid:", "Gid:", "Groups:")):
                yield from map(int, line.split()[1:])


def _of_other_checkouts(home: Path) -> Iterator[int]:
    for socket in home.parent.glob("*/socket"):
        if socket.parent != home:
            yield socket.lstat().st_uid


def _is_mapped(uid: int) -> bool:
    """Whether this user namespace has the number, as a user and as a group."""
    return all(_in_map(uid, Path(f"/proc/self/{kind}_map")) for kind in ("uid", "gid"))


def _in_map(uid: int, path: Path) -> bool:
    if not path.exists():
        return True
    for line in path.read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= uid < first + count:
            return True
    return False


def _give(top: Path, owner: Owner) -> None:
    """Make a tree the owner's: what belongs to its owner of until now, and no link's target.

    An entry of a third user, as a hard link may be, is left: PostgreSQL then says what it misses.
    """
    before = top.lstat().st_uid
    if before == owner.uid:
        return
    for _, folders, files, descriptor in os.fwalk(top, topdown=False, follow_symlinks=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid == before:
                chown = {"dir_fd": descriptor, "follow_symlinks": False}
                os.chown(name, owner.uid, owner.gid, **chown)  # type: ignore[arg-type]
    os.chown(top, owner.uid, owner.gid, follow_symlinks=False)  # last: an interrupted one goes on
