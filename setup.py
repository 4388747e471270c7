"""The packages of the wheel: found in the tree, with `migrations/` and `docs/` mapped into them.

REPOSITORY_URL is the address of the repository that publishes, if there is one: links of the
README, which a package index shows alone, lead there, and so do the addresses of the metadata.
"""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

DOCS = {"lifecycle.docs": "docs"}  # which hints name: a reader of the wheel has to find them
MIGRATIONS = {
    "lifecycle.migrations": "migrations/lifecycle",
    "purge.migrations": "migrations/purge",
}
REPOSITORY = os.environ.get("REPOSITORY_URL", "").rstrip("/")
PLACES = {
    "Homepage": "",
    "Source": "",
    "Documentation": "/blob/main/docs/index.md",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Issues": "/issues",
    "Security": "/security/policy",
}


LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!\w+:|#)(?P<target>[^)\s]+)\)")


def standalone(link: re.Match[str]) -> str:
    """A relative link for a reader who has the README alone: an absolute one, or its words."""
    picture, text, target = link.group("picture", "text", "target")
    if not REPOSITORY:
        return "" if picture else text
    return f"{picture}[{text}]({REPOSITORY}/{'raw' if picture else 'blob'}/main/{target})"


def description() -> str:
    return LINK.sub(standalone, Path("README.md").read_text(encoding="utf-8"))


class BuildWithReadme(build_py):
    """The README stands beside `docs/` as in the checkout, for its pages link to it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("README.md", str(Path(self.build_lib) / "lifecycle" / "README.md"))


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    project_urls={name: REPOSITORY + path for name, path in PLACES.items() if REPOSITORY},
    cmdclass={"build_py": BuildWithReadme},
    packages=[
        *find_packages(include=["lifecycle", "lifecycle.*", "purge", "purge.*"]),
        *MIGRATIONS,
        *DOCS,
    ],
    package_dir=MIGRATIONS | DOCS,
)
