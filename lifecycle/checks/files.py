"""Whether `lifecycle` and `purge` are this distribution's files.

Other distributions have packages of these names. Whichever is installed last puts its files over
those of the other, and pip says nothing of it.
"""

import csv
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage

from lifecycle.checks.messages import error

NAME = "django-tombstone"
OURS = ("lifecycle/", "purge/")
SHOWN = 3  # files


def check_files(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """E048: files of this package are another's. In a checkout nothing is recorded, nor asked."""
    try:
        own = distribution(NAME)
    except PackageNotFoundError:
        return []
    changed = changed_files(own)
    if not changed:
        return []
    others = sorted({each.metadata["Name"] for each in others_with(changed)})
    by = f" They are also of {', '.join(others)}." if others else ""
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    text = f"{', '.join(changed[:SHOWN])}{more} are not as {NAME} has installed them.{by}"
    hint = f"Uninstall the other package, then: pip install --force-reinstall --no-deps {NAME}"
    return [error(48, text, hint)]


def changed_files(own: Distribution) -> list[str]:
    """The files of its two packages that are not what it has recorded, by name."""
    return sorted(
        name
        for name, recorded, path in _recorded(own)
        if not path.is_file() or _hash(path) != recorded
    )


def others_with(names: list[str]) -> list[Distribution]:
    """The other distributions that have installed a file under one of these names."""
    wanted = set(names)
    return [
        each
        for each in distributions()
        if each.metadata["Name"] != NAME and wanted.intersection(map(str, each.files or ()))
    ]


def _recorded(own: Distribution) -> Iterator[tuple[str, str, Path]]:
    # Not `own.files`: since Python 3.12 it leaves out the files that are missing.
    for name, made, *_ in csv.reader((own.read_text("RECORD") or "").splitlines()):
        mode, _, value = made.partition("=")
        if name.startswith(OURS) and mode == "sha256":
            yield name, value, Path(str(own.locate_file(name)))


def _hash(path: Path) -> str:
    found = hashlib.sha256(path.read_bytes()).digest()
    return urlsafe_b64encode(found).rstrip(b"=").decode()
