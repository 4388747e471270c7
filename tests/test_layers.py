"""Who may import whom: one way, from the ground up; and that SQL stands beside what calls it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from lifecycle.operations import FUNCTIONS
from tests.infra.servers import ROOT

#: From the ground up: a package imports those on lines above its own, and itself.
LAYERS = """
lifecycle.proof
lifecycle.certificate lifecycle.witness
lifecycle.exceptions lifecycle.conf lifecycle.signals lifecycle.hooks lifecycle.printable
    lifecycle.details lifecycle.hints lifecycle.rendering lifecycle.phrases
lifecycle.logs lifecycle.telemetry
lifecycle.db
lifecycle.event_tables lifecycle.log_tables
lifecycle.models
lifecycle.policy
lifecycle.compiler
lifecycle.operations
lifecycle.capture
lifecycle.ledger
lifecycle.sealing
lifecycle.backfill lifecycle.notices
lifecycle.install
lifecycle.insight
lifecycle.promises lifecycle.concept lifecycle.metrics lifecycle.scaffolds
lifecycle.adoption
lifecycle.checks lifecycle.admin lifecycle.management lifecycle.testing lifecycle.pytest_plugin
    lifecycle.embedded lifecycle.apps lifecycle
purge.plan_tables purge.outbox_tables purge.notice_tables purge.measure_tables purge.rewrite_tables
    purge.iceberg_tables
purge.exceptions purge.back_off purge.models purge.s3 purge.worker.keepalive purge.open_requests
purge.queue purge.signed_queue
purge.archive purge.outbox
purge.iceberg
purge.proof
purge.batch
purge.alerts
purge.notices
purge.passes
purge.sources
purge.archiving purge.media purge.partitions
purge.unlisted
purge.runner
purge.overrides purge.erasure purge.plans purge.forecasts purge.exports purge.replay purge.reports
purge.recovery purge.requests purge.rewriting
purge.certificates
purge.worker
purge.tasks purge.acting purge.checks purge.outbox_check purge.rewrite_check purge.iceberg_check
    purge.admin purge.management purge.apps purge
"""
STANDARD = set(sys.stdlib_module_names)
HUEY = {
    "purge/queue.py",
    "purge/signed_queue.py",
    "purge/worker/heartbeat.py",
    "purge/worker/jobs.py",
}


def layers() -> dict[str, int]:
    """The number of each package's line."""
    joined = LAYERS.replace("\n    ", " ").strip().splitlines()
    return {name: number for number, line in enumerate(joined) for name in line.split()}


def modules(*folders: str) -> dict[str, Path]:
    """The modules below the folders, by their names."""
    found = {}
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> frozenset[str]:
    """What a file imports, wherever in it; relative ones written out, `from a import b` as a.b."""
    return _imported(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts)


@cache
def _imported(text: str, package: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *(node.module or "").split("."))).strip(".")
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(found)


def graph(paths: dict[str, Path]) -> dict[str, set[str]]:
    """Which module imports which of them: also inside functions and for annotations."""
    return {name: set(_targets(imported(path), paths)) - {name} for name, path in paths.items()}


def _targets(names: Iterable[str], known: dict[str, Path]) -> Iterator[str]:
    for name in names:
        module = name if name in known else name.rpartition(".")[0]
        if module in known:
            yield module


def upwards(arrows: dict[str, set[str]]) -> list[str]:
    """The imports that go up, from a lower layer to a higher one."""
    order = layers()

    def layer(module: str) -> int:
        while module not in order:
            module = module.rpartition(".")[0]
        return order[module]

    pairs = ((upper, lower) for upper, others in arrows.items() for lower in others)
    return [f"{a} imports {b}" for a, b in pairs if layer(a) < layer(b)]


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle of imports; none where there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_go_one_way() -> None:
    arrows = graph(modules("lifecycle", "purge"))
    assert len(arrows) > 150
    assert upwards(arrows) == []
    assert circle(arrows) == []


@pytest.mark.parametrize(
    "line",
    [
        "from lifecycle.ledger import holds",
        "import lifecycle.ledger.holds",
        "def later():\n    from lifecycle.ledger.holds import hold",
        "if TYPE_CHECKING:\n    from ..ledger.holds import hold",
    ],
)
def test_an_import_upwards_is_found(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = ROOT / "lifecycle" / "compiler" / "keys.py"
    read = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: read(path, **how) + f"\n{line}\n" * (path == planted)
    )
    arrows = graph(modules("lifecycle", "purge"))
    assert upwards(arrows) == ["lifecycle.compiler.keys imports lifecycle.ledger.holds"]
    assert "lifecycle.compiler.keys" in circle(arrows)


def importers(of: str, *folders: str) -> set[str]:
    """The files below the folders that import a top-level package."""
    paths = modules(*folders).values()
    having = {path for path in paths if any(name.split(".")[0] == of for name in imported(path))}
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
    client = "lifecycle/metrics/collector.py"  # which says what to install where there is none
    command = "lifecycle/management/subcommands/metrics.py"
    assert importers("prometheus_client", "lifecycle", "purge", "demo") == {client, command}
    assert importers("opentelemetry", "lifecycle", "purge", "demo") == {
        "lifecycle/telemetry.py",
        "lifecycle/metrics/otel.py",
    }
    checks = {"lifecycle/metrics/health_checks.py"}
    assert importers("health_check", "lifecycle", "purge", "demo") == checks
    assert importers("boto3", "lifecycle", "purge", "demo") == {"purge/s3.py"}
    assert importers("botocore", "lifecycle", "purge", "demo") == {"purge/s3.py"}


def test_proofs_are_checked_without_django_and_the_rest() -> None:
    """By whoever has a certificate and a key."""
    proof = modules("lifecycle/proof", "lifecycle/witness")
    assert len(proof) > 8
    assert {top for path in proof.values() for top in tops(path)} <= STANDARD | {"cryptography"}
    proof["lifecycle.certificate"] = ROOT / "lifecycle" / "certificate.py"
    own = {name for path in proof.values() for name in imported(path) if "lifecycle" in name}
    assert {name for name in own if not name.startswith(tuple(proof))} == set()


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)} - {"lifecycle"}


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
    folder = ROOT / "lifecycle" / "functions"
    files = {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert named == FUNCTIONS
    assert sorted(named) == sorted(files)
    for name in (name for name in files if re.search(r"_v\d+$", name)):
        assert re.search(rf"CREATE (OR REPLACE )?FUNCTION lifecycle\.{name}\(", files[name])


def statement_files() -> list[Path]:
    """The `.sql` files that stand beside a module."""
    own = ("functions", "promises")
    found = (path for top in ("lifecycle", "purge") for path in (ROOT / top).rglob("*.sql"))
    return [path for path in found if path.parent.name not in own]


@pytest.mark.parametrize("path", statement_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_names_each_of_its_statements(path: Path) -> None:
    text, code = path.read_text(encoding="utf-8"), path.with_suffix(".py").read_text()
    names = re.findall(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    assert names
    assert text.startswith("-- name: ")
    assert len(set(names)) == len(names)
    assert [name for name in names if not is_named(name, code)] == []


def test_a_module_calls_no_statement_that_is_not_there() -> None:
    found = 0
    for path in (path for top in ("lifecycle", "purge", "demo") for path in modules(top).values()):
        called = re.findall(r'\(\s*__file__,\s*"(\w+)"', path.read_text(encoding="utf-8"))
        there = path.with_suffix(".sql").read_text(encoding="utf-8") if called else ""
        assert [name for name in called if f"-- name: {name}\n" not in there] == [], path
        found += len(called)
    assert found > 100


def is_named(name: str, code: str) -> bool:
    """As it stands, or as one of a family of bodies."""
    return f'"{name}"' in code or (name.startswith("body_") and 'f"body_' in code)


def test_no_sql_of_lifecycle_reads_a_table_of_purge() -> None:
    texts = {path: path.read_text() for path in (ROOT / "lifecycle").rglob("*.sql")}
    assert texts
    assert [path.name for path, text in texts.items() if re.search(r"\bpurge_\w+", text)] == []
