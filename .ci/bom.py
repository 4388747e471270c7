"""What the package needs: a CycloneDX bill of materials and a list of licences, in build/bom/.

Everything that the wheel asks for, with each extra, at the versions and hashes of the lock, as
installed in .venv: what this Python and system take. What only tests and tools need is not in it.
"""

import json
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from itertools import chain
from pathlib import Path

from environments import python_of_docs
from packaged import epoch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OUT = Path("build/bom")
LOCK = Path("requirements.lock")
CHECK = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(repr(error) if (error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(
    open(sys.argv[1], encoding="utf-8").read())) else 0)
"""
CLASSIFIER = "License :: OSI Approved :: "
#: of which the metadata say nothing, by the licence in their repositories
BY_ITS_TEXT = {"huey": "MIT"}
Extras = frozenset[str]


def asked(found: Distribution, extras: Extras) -> list[Requirement]:
    """What a distribution asks for here, with these of its extras."""
    every = [Requirement(text) for text in found.requires or []]
    return [
        each
        for each in every
        if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras or {""})
    ]


def project() -> dict:
    return dict(tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"])


def closure(about: dict) -> tuple[dict[str, Distribution], dict[str, set[str]]]:
    """All that the project needs, by name, and who asks for whom."""
    texts = [*about["dependencies"], *chain(*about["optional-dependencies"].values())]
    todo = [(about["name"], Requirement(text)) for text in texts]
    found: dict[str, Distribution] = {}
    edges: dict[str, set[str]] = {about["name"]: set()}
    seen: set[tuple[str, Extras]] = set()
    while todo:
        asker, requirement = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        edges[asker].add(name)
        found.setdefault(name, distribution(name))
        edges.setdefault(name, set())
        if (name, extras) not in seen:
            seen.add((name, extras))
            todo += [(name, each) for each in asked(found[name], extras)]
    return found, edges


def licence(found: Distribution) -> tuple[str, bool]:
    """The licence that a distribution names, and whether that is an SPDX expression."""
    about = found.metadata
    if expression := about.get("License-Expression"):
        return str(expression), True
    every = about.get_all("Classifier") or []
    if named := sorted(each.removeprefix(CLASSIFIER) for each in every if CLASSIFIER in each):
        return ", ".join(named), False
    said = (about.get("License") or "").strip().partition("\n")[0]
    return said or BY_ITS_TEXT.get(about["Name"].lower(), "not said"), False


def hashes() -> dict[str, list[str]]:
    """name==version -> the hashes of its files, by the lock."""
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.findall(r"^([\w.-]+==[^\s;\\]+).*\n((?:    --hash.*\n)+)", text, re.MULTILINE)
    return {pin: re.findall(r"sha256:([0-9a-f]{64})", lines) for pin, lines in blocks}


def component(found: Distribution, known: dict[str, list[str]]) -> dict:
    name, version = canonicalize_name(found.metadata["Name"]), found.version
    text, is_expression = licence(found)
    reference = f"pkg:pypi/{name}@{version}"
    files = sorted(known[f"{name}=={version}"])  # what is not locked is in no bill
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
        "licenses": [{"expression": text} if is_expression else {"license": {"name": text}}],
        "properties": [{"name": "lock:sha256", "value": each} for each in files],
    }


def bill(about: dict, found: dict[str, Distribution], edges: dict[str, set[str]]) -> dict:
    """The bill of materials: the same bytes for the same lock, commit, Python and system."""
    known = hashes()
    parts = {name: component(each, known) for name, each in sorted(found.items())}
    own = {"name": about["name"], "version": about["version"], "type": "library"}
    own |= {"bom-ref": "self", "purl": f"pkg:pypi/{about['name']}@{about['version']}"}
    own |= {"licenses": [{"expression": about["license"]}]}  # type: ignore[dict-item]
    reference = {name: part["bom-ref"] for name, part in parts.items()} | {about["name"]: "self"}
    dependencies = [
        {"ref": reference[name], "dependsOn": sorted(reference[each] for each in asks)}
        for name, asks in sorted(edges.items())
    ]
    content = json.dumps([own, list(parts.values()), dependencies], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, content).urn,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch(), UTC).isoformat(),
            "component": own,
        },
        "components": list(parts.values()),
        "dependencies": dependencies,
    }


def licences(about: dict, found: dict[str, Distribution]) -> str:
    """A line for each package, as Markdown: whose licence, and which extras bring it."""
    by_extra = {"always": about["dependencies"], **about["optional-dependencies"]}
    brought: dict[str, set[str]] = {}
    for extra, texts in by_extra.items():
        only = about | {"dependencies": texts, "optional-dependencies": {}}
        for name in closure(only)[0]:
            brought.setdefault(name, set()).add(extra)
    lines = ["# Licences of what django-tombstone needs", ""]
    lines += ["| package | version | licence | needed |", "|---|---|---|---|"]
    for name, each in sorted(found.items()):
        needed = "always" if "always" in brought[name] else ", ".join(sorted(brought[name]))
        lines.append(f"| {name} | {each.version} | {licence(each)[0]} | {needed} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    about = project()
    found, edges = closure(about)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{about['name']}-{about['version']}.cdx.json"
    content = json.dumps(bill(about, found, edges), indent=2, ensure_ascii=False)
    path.write_text(content + "\n", encoding="utf-8")
    (OUT / "licences.md").write_text(licences(about, found), encoding="utf-8")
    done = subprocess.call([python_of_docs(sys.executable), "-c", CHECK, str(path)])
    print(f"{path}: {len(found)} packages; {OUT / 'licences.md'}")
    sys.exit(done)


if __name__ == "__main__":
    main()
