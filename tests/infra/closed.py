"""Is a lock closed: does it hold, at a fitting version, all that its packages ask for?

What a package asks for is read from the distributions installed here. One that this Python or
system does not install (Django's other line) shows nothing: `Closure.unseen` names those.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The last is older than what async-timeout's marker asks for.
PYTHONS = ["3.11.7", "3.12.1", "3.13.0", "3.14.0", "3.11.2"]
SYSTEMS = [
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
]
Environment = dict[str, str]


def environments() -> Iterator[Environment]:
    for python, (platform, system, machine) in product(PYTHONS, SYSTEMS):
        yield {
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "os_name": "posix",
            "python_version": python.rpartition(".")[0],
            "python_full_version": python,
            "implementation_version": python,
            "sys_platform": platform,
            "platform_system": system,
            "platform_machine": machine,
        }


def applies(marker: Marker | None, environment: Environment, extras: frozenset[str]) -> bool:
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""})
    )


@cache
def parse(lock: str) -> list[Requirement]:
    lines = (line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum())
    return [Requirement(line) for line in lines]


def asked_by_project(pyproject: Path) -> list[Requirement]:
    """What the project asks for, with all its extras and the group dev."""
    said = tomllib.loads(pyproject.read_text())
    lists = [said["project"]["dependencies"], said["dependency-groups"]["dev"]]
    lists += said["project"]["optional-dependencies"].values()
    return [Requirement(text) for texts in lists for text in texts]


@cache
def asked_by(name: str, version: str) -> list[Requirement] | None:
    """What a distribution asks for; None unless this version of it is installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return (
        [Requirement(text) for text in found.requires or []] if found.version == version else None
    )


@dataclass
class Closure:
    """What one environment installs of a lock, followed from what the project asks for."""

    environment: Environment
    locked: dict[str, str] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    reached: set[tuple[str, frozenset[str]]] = field(default_factory=set)

    def lock(self, requirements: list[Requirement]) -> None:
        for requirement in requirements:
            if applies(requirement.marker, self.environment, frozenset()):
                name = canonicalize_name(requirement.name)
                if name in self.locked:
                    self.problems.add(f"{name} is locked twice")
                self.locked[name] = str(requirement.specifier).removeprefix("==")

    def follow(self, asker: str, extras: frozenset[str], asked: list[Requirement]) -> None:
        for requirement in asked:
            if applies(requirement.marker, self.environment, extras):
                self.take(asker, requirement)

    def take(self, asker: str, requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        version = self.locked.get(name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            self.problems.add(f"{asker} asks for {requirement}, locked is {version}")
            return
        extras = frozenset(requirement.extras)
        if (name, extras) not in self.reached:
            self.reached.add((name, extras))
            asked = asked_by(name, version)
            if asked is None:
                self.unseen.add(f"{name}=={version}")
            else:
                self.follow(name, extras, asked)


def closures(lock: str, pyproject: Path) -> list[Closure]:
    found = []
    for environment in environments():
        closure = Closure(environment)
        closure.lock(parse(lock))
        closure.follow("the project", frozenset(), asked_by_project(pyproject))
        found.append(closure)
    return found
