"""Each block of the documentation can be typed; each guide is run by a test, or says why not."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands

from tests.advice.collecting import parse
from tests.infra.servers import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

#: which test does what the guide says, in a project or a database of its own
RUN_BY = {
    "the-first-hour": "tests/soak/test_install.py",
    "track-a-model-that-is-not-yours": "tests/places/test_guides.py",
    "several-databases": "tests/places/test_guides.py",
    "run-behind-pgbouncer": "tests/places/test_guides.py",
    "answer-an-erasure-request": "tests/advice/test_followed.py",
    "archive-to-s3-or-r2": "tests/soak/test_followed.py",
    "archive-to-a-table": "tests/purge/iceberg/test_guide.py",
    "bring-rows-back": "tests/soak/test_followed.py",
    "cover-every-model": "tests/soak/test_followed.py",
    "run-without-huey": "tests/soak/test_followed.py",
    "uninstall": "tests/soak/test_followed.py",
    "roles": "tests/soak/test_followed.py",
    "go-easy-on-the-database": "tests/soak/test_followed.py",
    "back-up-and-restore": "tests/soak/test_followed.py",
    "recover-after-a-restore": "tests/soak/test_followed.py",
    "add-to-an-existing-site": "tests/soak/test_followed.py",
    "test-your-policies": "tests/soak/test_followed.py",
    "file-a-deletion-concept": "tests/lifecycle/concept/test_concept.py",
    "prove-a-deletion": "tests/purge/certificates/test_certificates.py",
    "run-a-witness": "tests/witness/test_witness.py",
    "act-on-many-rows": "tests/purge/plans/test_commands.py",
    "look-ahead": "tests/purge/forecasts/test_simulate.py",
    "keep-a-row": "tests/purge/batch/test_keep_a_row.py",
    "retention-by-tenant": "tests/lifecycle/scaffolds/test_scaffolds.py",
    "from-three-cron-jobs-to-one-worker": "tests/purge/overrides/test_override.py",
    "work-in-the-admin": "tests/lifecycle/admin/test_browser.py",
    "run-it": "tests/purge/worker/test_stop.py",
    "tell-copies-elsewhere": "tests/purge/outbox/test_outbox.py",
    "warn-before-the-end": "tests/purge/notices/test_links.py",
    "erase-in-archives": "tests/purge/rewriting/test_files.py",
    "watch-it": "tests/purge/alerts/test_logs.py",
    "packages": "tests/packs/site.py",
    "drop-partitions": "tests/purge/partitions/test_guide.py",
}
#: why no test does the guide as it is written; its blocks are read by those below all the same
NOT_RUN = {
    "media-on-s3-and-r2": "settings that move all media; tests/purge/media has them on tests/s3",
    "seal-the-ledger": "wants a server to restore; its commands are in tests/purge/proof",
    "upgrade": "wants two releases; tests/upgrades has what an earlier state wrote",
    "read-an-archive": "wants DuckDB, pandas, jq; bring-rows-back types `archive ls`, and loads",
}


def blocks(page: Path, *kinds: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind in kinds]


def typed_in(page: Path) -> list[str]:
    """The commands of the blocks of a page, as they are typed, without `python manage.py`."""
    found = []
    for text in blocks(page, "console", "sh", "crontab"):
        whole = re.sub(r'"\n(?:.*\n)*?"', '""', text).replace("\\\n", " ")
        found += re.findall(r"\bmanage\.py ([^#|&>`\n]+)", whole)
    return found


def refused(command: str) -> str:
    here = re.sub(r"--database \w+", "--database default", command)  # as Django asks for
    try:
        parse(here)
    except (CommandError, KeyError, SystemExit, ValueError) as error:
        return repr(error)
    return ""


@pytest.mark.slow
def test_every_command_of_the_documentation_can_be_typed() -> None:
    typed = {(page.name, command) for page in PAGES for command in typed_in(page)}
    ours = {each for each in typed if each[1].split()[0] in get_commands()}
    assert len(ours) > 60
    wrong = [(*each, why) for each in sorted(ours) if (why := refused(each[1]))]
    assert wrong == []
    of_a_site = {"cleanup_drafts", "delete_expired_tokens"}  # that these pages make
    assert {command.split()[0] for _, command in typed - ours} <= of_a_site


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_python_can_be_read(page: Path) -> None:
    for text in blocks(page, "python"):
        ast.parse(text)


def test_every_guide_is_run_or_says_why_not() -> None:
    guides = {path.stem for path in (ROOT / "docs/how-to").glob("*.md")}
    assert RUN_BY.keys() | NOT_RUN.keys() == guides
    assert not RUN_BY.keys() & NOT_RUN.keys()
    for guide, test in RUN_BY.items():
        assert f"{guide}.md" in (ROOT / test).read_text(), (guide, test)
    for guide, why in NOT_RUN.items():
        for named in re.findall(r"tests/[\w/.]+\b", why):
            assert (ROOT / named).exists(), (guide, named)
