"""The packages of the wheel: found in the tree, with `migrations/` and `docs/` mapped into them."""

from setuptools import find_packages, setup

DOCS = {"lifecycle.docs": "docs"}  # which hints name: a reader of the wheel has to find them
MIGRATIONS = {
    "lifecycle.migrations": "migrations/lifecycle",
    "purge.migrations": "migrations/purge",
}

setup(
    packages=[
        *find_packages(include=["lifecycle", "lifecycle.*", "purge", "purge.*"]),
        *MIGRATIONS,
        *DOCS,
    ],
    package_dir=MIGRATIONS | DOCS,
)
