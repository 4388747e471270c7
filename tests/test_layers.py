"""Who may import whom, and that the `.sql` files and the migrations name each other."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from lifecycle.operations import FUNCTIONS
from tests.infra.servers import ROOT

HUEY = {"purge/tasks.py", "purge/queue.py"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, also inside its functions; relative ones written out."""
    package = path.relative_to(ROOT).parent.parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join((*above, *(node.module or "").split("."))).strip("."))
    return found


def importers(of: str, *folders: str) -> set[str]:
    """The files below the folders that import a top-level package."""
    files = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    having = {path for path in files if any(name.split(".")[0] == of for name in imported(path))}
    return {str(path.relative_to(ROOT)) for path in having}


def test_knowledge_imports_no_action() -> None:
    assert importers("purge", "lifecycle", "migrations/lifecycle") == set()
    assert "purge/runner.py" in importers("lifecycle", "purge")


def test_packages_import_no_host() -> None:
    assert importers("demo", "lifecycle", "purge", "migrations") == set()
    assert importers("tests", "lifecycle", "purge", "migrations", "demo") == set()


def test_one_module_each_for_what_is_outside() -> None:
    assert importers("huey", "lifecycle", "purge") == HUEY
    assert importers("huey", "demo") == {"demo/tasks.py"}  # the host's own tasks
    assert importers("boto3", "lifecycle", "purge", "demo") == {"purge/s3.py"}
    assert importers("botocore", "lifecycle", "purge", "demo") == {"purge/s3.py"}


def test_settings_may_import_the_packages() -> None:
    code = (
        "import sys, lifecycle, lifecycle.embedded, purge.queue;"
        "print([n for n in sys.modules if n.endswith('.models') or n == 'django.db'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def run_files() -> list[str]:
    """The names that the migrations of `lifecycle` run, in order."""
    names: list[str] = []
    for path in sorted((ROOT / "migrations" / "lifecycle").glob("0*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RunFiles":
                names += ast.literal_eval(node.args[0])
    return names


def test_migrations_name_every_function_once() -> None:
    named = run_files()
    files = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "lifecycle/sql").iterdir()
    }
    assert set(named) <= set(files)
    assert named == FUNCTIONS
    assert len(named) == len(set(named))
    versioned = {name for name in files if re.search(r"_v\d+$", name)}
    assert versioned <= set(named)
    for name in versioned:
        assert re.search(rf"CREATE (OR REPLACE )?FUNCTION lifecycle\.{name}\(", files[name])


def test_every_statement_is_used() -> None:
    for package in ("lifecycle", "purge"):
        code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / package).rglob("*.py"))
        names = {path.stem for path in (ROOT / package / "sql").iterdir()} - set(run_files())
        assert [name for name in sorted(names) if not used(name, code)] == []


def used(name: str, code: str) -> bool:
    return f'"{name}"' in code or (name.startswith("body_") and 'f"body_{template}"' in code)
