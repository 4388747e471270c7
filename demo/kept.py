"""What a checkout makes once and keeps in its folder `.data`: secrets, the name of its database."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def keep_once(path: Path, make: Callable[[], str]) -> str:
    """The secret that a file has, mode 0600; made now where there is none."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        # Written whole under its own name, then linked: of two first processes one wins, and
        # neither ever reads a half-written key.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def embedded_database(folder: Path) -> Path:
    """Of a server of its own for this `folder`, by a name that is made once and kept in it.

    Root's server is elsewhere (see lifecycle.embedded): a checkout that was deleted and made anew
    in the same place has other keys, and must not meet the database of the one before.
    """
    return folder / f"postgres-{keep_once(folder / 'database', lambda: secrets.token_hex(4))}"
