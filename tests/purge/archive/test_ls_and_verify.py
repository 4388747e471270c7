"""`archive ls` and `archive verify`: what there is, and every way in which it can be wrong."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from purge.archive.destinations import destination
from purge.archive.manifest import SUFFIX, Manifest
from purge.models import Archive
from tests.commands.documented import assert_documented
from tests.purge.archive.making import PREFIX, made
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db
NAME = "zoo_token_20241001_to_20241227_20250127_040001"


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, settings: Any) -> Manifest:
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    (tmp_path / PREFIX).mkdir()
    Token.objects.bulk_create(Token(label=f"t{n}") for n in range(3))
    return made(tmp_path, Token, ["jsonl", "jsonlzst", "json", "txt", "parquet"], name=NAME)


def path_of(manifest: Manifest, tmp_path: Path, form: str = "jsonl") -> Path:
    return tmp_path / next(file.name for file in manifest.files if file.format == form)


def verify(*options: str) -> list[dict[str, str]]:
    """The problems that are told; an exit code of 1 where there are any."""
    out, failed = io.StringIO(), False
    try:
        call_command("archive", "verify", *options, "--prefix", PREFIX, "--json", stdout=out)
    except CommandError:
        failed = True
    found = json.loads(out.getvalue())
    assert_documented("archive verify", found)
    problems: list[dict[str, str]] = found["problems"]
    assert failed == bool(problems)
    return problems


def test_whole_archives_are_told_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("archive", "verify", f"{PREFIX}{NAME}.json", "--prefix", PREFIX)
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"ok    {NAME}  3 rows, 5 files, ")
    assert last == "1 archive, 3 rows: every byte was read."
    assert verify("--all") == []


@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "json", "txt", "parquet"])
def test_a_file_that_is_not_what_its_manifest_says(
    form: str, archive: Manifest, tmp_path: Path
) -> None:
    path = path_of(archive, tmp_path, form)
    whole = path.read_bytes()
    told = {
        "has another SHA-256 than its manifest says": whole[:-1] + bytes([whole[-1] ^ 1]),
        f"has {len(whole) - 1} bytes, its manifest says {len(whole)}": whole[:-1],
    }
    for why, body in told.items():
        path.write_bytes(body)
        assert verify(NAME) == [{"name": f"{PREFIX}{path.name}", "why": why}]
    path.unlink()
    assert [problem["why"] for problem in verify("--all")] == ["is missing"]


@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "json", "txt", "parquet"])
def test_rows_are_counted(form: str, archive: Manifest, tmp_path: Path) -> None:
    """A manifest may be wrong as well: bytes and SHA-256 are those of the file."""
    made(tmp_path, Token, [form], name="wrong", rows=4)
    told = {problem["why"] for problem in verify("wrong")}
    assert told == {"has 3 rows, its manifest says 4"}


def test_what_is_too_much_and_what_is_lost(archive: Manifest, tmp_path: Path) -> None:
    (tmp_path / PREFIX / "stranger.json").write_bytes(b"[]\n")
    (tmp_path / PREFIX / f"broken{SUFFIX}").write_text("{}")
    (tmp_path / PREFIX / f"later{SUFFIX}").write_text('{"version": 3}')
    for name in ("lost_20240101", NAME):
        fetch(
            "default",
            "SELECT lifecycle.write_v1('archived', 'tokens', 'zoo.token', NULL, 0, NULL, NULL,"
            " NULL, %(detail)s::jsonb, NULL)",
            {"detail": json.dumps({"archive": name})},
        )
    assert {
        (problem["name"], problem["why"].rpartition(": ")[2]) for problem in verify("--all")
    } == {
        (f"{PREFIX}stranger.json", "no manifest names it"),
        (f"{PREFIX}broken{SUFFIX}", "It is no manifest of an archive (KeyError)."),
        (f"{PREFIX}later{SUFFIX}", "It is of version 3; this code reads 2."),
        ("lost_20240101", "is missing; the ledger names it"),
    }


def test_what_is_mistyped(settings: Any) -> None:
    for options, why in (
        ((), "Name archives, or say --all"),
        ((NAME, "--all"), "Name archives, or say --all"),
        (("zoo_tokn",), "There is no archive 'zoo_tokn'"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("archive", "verify", *options, "--prefix", PREFIX)
    settings.LIFECYCLE_ARCHIVE_DIR = ""
    with pytest.raises(CommandError, match="There is nowhere to put archives"):
        call_command("archive", "ls", "--prefix", PREFIX)


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path.parent / "secret").write_text("x")
    with pytest.raises(LifecycleError, match="is outside of folder"):
        list(destination().read("../secret"))


def test_the_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made(tmp_path, Token, ["txt"], name="older", made="2024-01-01T00:00:00+00:00", policy="other")
    call_command("archive", "ls", "--prefix", PREFIX)
    out = capsys.readouterr().out
    assert out.index("older") < out.index(NAME)
    assert f"Archives in folder {tmp_path}" in out
    assert "2024-10-01" in out
    call_command("archive", "ls", "--prefix", PREFIX, "--policy", "tokens", "--json")
    (told,) = every = json.loads(capsys.readouterr().out)
    assert_documented("archive ls", every)
    assert (told["name"], told["rows"]) == (NAME, 3)
    assert told["destination"] == f"folder {tmp_path}"
    call_command("archive", "ls", "--prefix", "none/")
    assert capsys.readouterr().out == f"No archives in folder {tmp_path}.\n"


def test_files_of_an_archive_that_is_being_made_are_not_too_many(tmp_path: Path) -> None:
    for name in ("making.json", ".making.txt.part"):
        (tmp_path / PREFIX / name).write_bytes(b"[]\n")
    row = Archive.objects.create(policy="tokens", prefix=PREFIX, name="making")
    assert verify("--all") == []
    row.state = Archive.State.DONE
    row.save()
    assert len(verify("--all")) == 2
