"""The packages of the wheel: found in the tree, with `migrations/` and `docs/` mapped into them."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

DOCS = {"lifecycle.docs": "docs"}  # which hints name: a reader of the wheel has to find them
MIGRATIONS = {
    "lifecycle.migrations": "migrations/lifecycle",
    "purge.migrations": "migrations/purge",
}


class BuildWithReadme(build_py):
    """The README stands beside `docs/` as in the checkout, for its pages link to it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("README.md", str(Path(self.build_lib) / "lifecycle" / "README.md"))


setup(
    cmdclass={"build_py": BuildWithReadme},
    packages=[
        *find_packages(include=["lifecycle", "lifecycle.*", "purge", "purge.*"]),
        *MIGRATIONS,
        *DOCS,
    ],
    package_dir=MIGRATIONS | DOCS,
)
