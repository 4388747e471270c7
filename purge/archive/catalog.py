"""Which archives there are: what the manifests at the destination say."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.registry import all_policies
from purge.archive.destinations import Destination, ObjectMissing
from purge.archive.manifest import LARGEST, SUFFIX, Manifest, ManifestError, read


@dataclass
class Catalog:
    """The archives below some prefixes, the oldest first, and every object beside them."""

    archives: list[Manifest] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)  # manifests that cannot be read, and why
    objects: dict[str, int] = field(default_factory=dict)  # bytes by name

    @property
    def strays(self) -> list[str]:
        """The objects that no manifest names, nor may name that cannot be read."""
        named = {file.name for each in self.archives for file in each.files}
        broken = {stem(name) for name in self.broken}
        others = (name for name in self.objects if not name.endswith(SUFFIX))
        return [name for name in others if name not in named and stem(name) not in broken]


def prefixes(given: str | None = None) -> list[str]:
    """The given prefix, else those of all policies; `LifecycleError` where no policy archives."""
    if given is not None:
        return [given]
    declared = [policy.disposition for policy in all_policies()]
    own = {each.prefix for each in declared if isinstance(each, Archive)}
    if not own:
        raise LifecycleError("No policy archives here: say which --prefix archives have.")
    return sorted(own)


def catalog(where: Destination, below: Sequence[str]) -> Catalog:
    """Read every manifest below the prefixes; one that cannot be read is in `broken`."""
    found = Catalog()
    for prefix in below:
        found.objects |= where.names(prefix)
    for name in found.objects:
        if name.endswith(SUFFIX):
            add(found, where, name)
    found.archives.sort(key=lambda each: (each.made, each.name))
    return found


def add(found: Catalog, where: Destination, name: str) -> None:
    """Read one manifest into the catalogue; whatever is wrong with it is no other's matter."""
    try:
        found.archives.append(manifest_at(where, name))
    except LifecycleError as error:
        found.broken[name] = str(error)


def archive(where: Destination, below: Sequence[str], name: str) -> Manifest:
    """One archive by its name, or by that of one of its files; `LifecycleError` without one."""
    wanted = bare(name)
    for prefix in below:
        if found := _at(where, f"{prefix}{wanted}{SUFFIX}"):
            return found
    there = [each for prefix in below for each, _ in where.names(prefix)]
    for each in there:  # those of a table are in a folder of their own
        if each.endswith(f"/{wanted}{SUFFIX}") and (found := _at(where, each)):
            return found
    hint = did_you_mean(wanted, set(map(bare, there)))
    raise LifecycleError(f"There is no archive {wanted!r} in {where.title}.{hint}")


def _at(where: Destination, name: str) -> Manifest | None:
    try:
        return manifest_at(where, name)
    except ObjectMissing:
        return None
    except ManifestError as error:
        raise ManifestError(f"{name}: {error}") from error


def manifest_at(where: Destination, name: str) -> Manifest:
    """The manifest of that name, which begins with its prefix; `ManifestError` where it is none.

    No more is read than a manifest may have. It speaks for objects beside it, of its own name.
    """
    found = read(_text(where, name))
    if any(f"{stem(file.name)}{SUFFIX}" != name for file in found.files) or found.name != bare(
        name
    ):
        raise ManifestError("It is the manifest of another archive.")
    return found


def bare(name: str) -> str:
    """The name of an archive, from that of one of its files."""
    return name.rpartition("/")[2].lstrip(".").partition(".")[0]


def stem(name: str) -> str:
    """The same with its folder."""
    return f"{name[: name.rfind('/') + 1]}{bare(name)}"


def _text(where: Destination, name: str) -> bytes:
    text = b""
    for part in where.read(name):
        text += part
        if len(text) > LARGEST:
            break
    return text
