"""docs/how-to/archive-to-a-table.md, its statements as they are written there."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.purge.archive.engine import tokens
from tests.purge.iceberg import duck
from tests.purge.iceberg.engine import as_table, at

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = ROOT / "docs" / "how-to" / "archive-to-a-table.md"


def blocks(kind: str) -> list[str]:
    """The blocks of the guide, about the tokens of the tests in place of its audit logs."""
    told = re.findall(
        rf"^```{kind}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for ours, theirs in (
        ("audit_logs", "tokens"), ("actor", "label"), ("created_at", "expires_at"),
        ("anna", "token 1"),
    ):  # fmt: skip
        told = [text.replace(ours, theirs) for text in told]
    return told


def address() -> str:
    told = connection.get_connection_params()
    where = f"host={told['host']}&port={told.get('port') or 5432}&options"
    return f"{told.get('user', '')}:{told.get('password') or ''}@/{told['dbname']}?{where}"


@pytest.mark.slow
def test_what_the_guide_says_is_so(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    tokens(3)
    with as_table():
        run_due()
    here = [
        text.replace("/srv/archives/audit-archives/audit-logs", str(at(tmp_path)))
        for text in blocks("sql")
    ]
    queries = [
        text.removeprefix("INSTALL iceberg; LOAD iceberg;\n") for text in here if "/srv" not in text
    ]
    found = []
    with duck.connected() as opened:
        for text in queries:
            if str(tmp_path) in text:
                text = text.replace("SELECT * FROM", "SELECT label FROM")
                found.append(sorted(opened.execute(text).fetchall()))
    assert found == [[(f"token {n}", 1) for n in range(3)], [(f"token {n}",) for n in range(3)]]
    _policy, reading = blocks("python")
    reading = re.sub(r"reader:.*\?options", address().replace("\\", ""), reading)
    names: dict[str, Any] = {}
    exec(reading.replace("catalog.load_table", "found = catalog.load_table"), names)
    assert names["found"]["label"].to_pylist() == ["token 1"]
    names["catalog"].engine.dispose()
