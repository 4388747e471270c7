"""The packages of the wheel: found in the tree, with `migrations/` mapped into them."""

from setuptools import find_packages, setup

MIGRATIONS = {
    "lifecycle.migrations": "migrations/lifecycle",
    "purge.migrations": "migrations/purge",
}

setup(
    packages=[
        *find_packages(include=["lifecycle", "lifecycle.*", "purge", "purge.*"]),
        *MIGRATIONS,
    ],
    package_dir=MIGRATIONS,
)
