"""docs/reference/functions.md: every function of the schema, and who may call it.

`python -m tests.security.functions_page` writes it.
"""

import re

from lifecycle.db.sql import function_file
from lifecycle.install.roles import FUNCTIONS
from lifecycle.operations import FUNCTIONS as FILES
from tests.infra.servers import ROOT

PAGE = ROOT / "docs/reference/functions.md"
HEAD = """# Functions

Every function of the schema `lifecycle`, and who may call it. **everybody**: PUBLIC; these write
nothing and tell no secret. **reader**, **site**, **officer**, **worker**: whoever is granted it by
name, each with all that stands before; the names are in `lifecycle/install/roles.py`. **owner**:
nobody else; triggers run as the owner. What a site or an officer may call checks its arguments;
what a worker may call is believed.

This page is made of the code and compared with the catalogue by a test.

| function | who | what it does |
|---|---|---|
"""


def callers() -> dict[str, str]:
    """Who may call each function, by the code."""
    granted = set(re.findall(r"lifecycle\.(\w+_v\d+)", function_file("grants")))
    names = sorted(name for name in FILES if re.search(r"_v\d+$", name))
    return {name: "everybody" if name in granted else _least(name) for name in names}


def page() -> str:
    """The page."""
    return HEAD + "".join(f"| `{n}` | {who} | {_says(n)} |\n" for n, who in callers().items())


def _least(name: str) -> str:
    return next((kind for kind, names in FUNCTIONS.items() if name in names), "owner")


def _says(name: str) -> str:
    """The first sentence of its comment."""
    lines = re.match(r"(?:--.*\n)+", function_file(name))
    assert lines, name
    text = re.sub(r"\s*-- *", " ", lines[0]).strip()
    return re.split(r"(?<=[.])\s|: ", text)[0].rstrip(".")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
