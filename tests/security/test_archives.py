"""Whoever can write where archives are kept brings no row into the site, and stops no check."""

import copy
import gzip
import hashlib
import io
import json
import os
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from purge.archive.destinations import ObjectExists, destination
from purge.archive.folder import ArchiveFolder
from purge.archive.formats import FORMATS
from purge.archive.formats.compressed import zstd_to
from purge.archive.manifest import SUFFIX, Manifest
from purge.checks import check_folder
from purge.models import Archive
from purge.runner import run_due
from tests.purge.archive.engine import archiving, manifests, tokens
from tests.purge.archive.making import PREFIX, made
from tests.purge.archive.test_faults import into
from tests.purge.archive.test_ls_and_verify import verify
from tests.s3.swift import Server
from tests.security.roles import Roles
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
MB = 2**20
USERS = get_user_model()._meta.db_table


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path


def load(name: str, *options: str) -> None:
    call_command("archive", "load", name, "--prefix", PREFIX, *options)


def archived(rows: int = 3) -> str:
    """The name of an archive that the engine has made, of rows that are gone."""
    tokens(rows)
    with archiving("tokens", formats=("jsonl", "txt")):
        run_due()
    assert not Token.objects.exists()
    return Archive.objects.get().name


@pytest.fixture
def looked_at() -> Iterator[str]:
    yield "looked_at"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS looked_at")


def counts() -> tuple[int, ...]:
    return Token.objects.count(), get_user_model().objects.count(), Event.objects.count()


# What the ledger does not know


def plant_superuser(folder: Path) -> Manifest:
    """An archive of a superuser, as somebody would put it there who can write into the bucket."""
    user = get_user_model().objects.create_superuser("root", password="x")
    (folder / PREFIX).mkdir(exist_ok=True)
    planted = made(folder, get_user_model(), ["jsonl"], name="planted", recorded=False)
    user.delete()
    return planted


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--untrusted",),
        ("--into", USERS),
        ("--untrusted", "--into", USERS),
        ("--untrusted", "--into", f"public.{USERS}"),
        ("--untrusted", "--into", "zoo_token"),
        ("--untrusted", "--into", "huey_task"),
        ("--untrusted", "--into", "django_migrations"),
        ("--into", "looked_at"),
    ],
)
def test_a_planted_archive_makes_no_superuser(options: tuple[str, ...], folder: Path) -> None:
    plant_superuser(folder)
    before = counts()
    with pytest.raises(CommandError):
        load("planted", *options)
    assert counts() == before
    assert not get_user_model().objects.filter(is_superuser=True).exists()
    assert fetch("default", "SELECT to_regclass('looked_at')") == [(None,)]


def test_it_can_be_looked_at_in_a_table_of_its_own(folder: Path, looked_at: str) -> None:
    plant_superuser(folder)
    before = counts()
    for _ in range(2):  # made by the first, known by the second
        load("planted", "--untrusted", "--into", looked_at)
    assert fetch("default", "SELECT username FROM looked_at") == [("root",)]
    assert counts() == before
    (problem,) = verify("--all")
    assert problem["name"] == f"{PREFIX}planted{SUFFIX}"
    assert problem["why"] == "is of an archive that the ledger does not know"


MARK = "COMMENT ON TABLE looked_at IS 'made by manage.py archive load'"


@pytest.mark.parametrize(
    "mark", ["", MARK.replace("made", "read"), f'{MARK}; ALTER TABLE looked_at OWNER TO "{{site}}"']
)
def test_a_table_that_no_load_of_this_role_has_made(
    folder: Path, looked_at: str, roles: Roles, mark: str
) -> None:
    """It may have a trigger of somebody else, which would run as the role that loads."""
    plant_superuser(folder)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE looked_at (LIKE {USERS} INCLUDING ALL)")
        cursor.execute(mark.format(site=roles.site) or "SELECT")
    with pytest.raises(CommandError, match="was not made by this command"):
        load("planted", "--untrusted", "--into", looked_at)
    assert fetch("default", "SELECT FROM looked_at") == []


@pytest.mark.plants(5, 6, 7)
def test_an_archive_of_which_no_row_is_gone_yet_is_not_loaded(folder: Path) -> None:
    name = archived()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM lifecycle_event WHERE kind = 'archived'")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(CommandError, match="Nothing was loaded"):
        load(name)
    assert not Token.objects.exists()


def test_copies_of_one_archive_are_read_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = archived()
    for number in range(3):
        (folder / PREFIX / f"{name}.{number}{SUFFIX}").write_bytes(b"{}")
    with pytest.raises(CommandError):
        call_command("archive", "verify", "--all", "--prefix", PREFIX)
    assert capsys.readouterr().out.count(f"ok    {name} ") == 1


def test_an_archive_of_another_prefix_is_not_known_by_its_copy(folder: Path) -> None:
    name = archived()
    (folder / PREFIX / "b").mkdir()
    for path in list((folder / PREFIX).glob(f"{name}*")):
        (folder / PREFIX / "b" / path.name).write_bytes(path.read_bytes())
    (problem,) = verify("--all")
    assert problem["why"] == "It is the manifest of another archive."


# What the ledger knows otherwise


def forge(read: Callable[[str], bytes], write: Callable[[str, bytes], None], name: str) -> None:
    """Change a row in an archive, and its manifest with it, as `archive verify` once believed."""
    body = gzip.compress(gzip.decompress(read(f"{name}.jsonl.gz")).replace(b"token 1", b"forged!"))
    manifest = json.loads(read(f"{name}{SUFFIX}"))
    (file,) = (each for each in manifest["files"] if each["format"] == "jsonl")
    file |= {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    write(f"{name}.jsonl.gz", body)
    write(f"{name}{SUFFIX}", json.dumps(manifest).encode())


def assert_found(name: str) -> None:
    told = {problem["name"]: problem["why"] for problem in verify("--all")}
    assert told.keys() == {f"{PREFIX}{name}{SUFFIX}", f"{PREFIX}{name}.jsonl.gz"}
    assert "the database has another SHA-256" in told[f"{PREFIX}{name}{SUFFIX}"]
    with pytest.raises(CommandError, match="another SHA-256"):
        load(name)
    with pytest.raises(CommandError, match="another SHA-256"):
        load(name, "--into", "looked_at")
    assert not Token.objects.exists()


def test_a_changed_archive_with_its_changed_manifest(folder: Path) -> None:
    name, own = archived(), folder / PREFIX
    assert verify("--all") == []
    (told,) = {event.detail["manifest"] for event in Event.objects.filter(kind="archived")}
    assert told == hashlib.sha256((own / f"{name}{SUFFIX}").read_bytes()).hexdigest()

    def write(name: str, body: bytes) -> None:
        (own / name).write_bytes(body)

    forge(lambda name: (own / name).read_bytes(), write, name)
    assert_found(name)


@pytest.mark.slow
def test_the_same_in_a_bucket(s3_server: Server) -> None:
    with into(s3_server.bucket()) as bucket:
        name = archived()
        assert verify("--all") == []
        where = destination()
        forge(
            lambda name: b"".join(where.read(PREFIX + name)),
            lambda name, body: bucket.put(PREFIX + name, body),
            name,
        )
        assert_found(name)


def test_rows_come_back_into_the_model_of_the_ledger(folder: Path) -> None:
    load(archived())
    assert Token.objects.count() == 3


def forget_hashes() -> None:
    """As the ledger of an earlier version: without the SHA-256."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE lifecycle_event SET detail = detail - 'manifest'")
        cursor.execute("SET session_replication_role = origin")


def test_archives_from_before_are_compared_with_the_copy(folder: Path) -> None:
    name = archived()
    forget_hashes()
    assert verify("--all") == []
    path = folder / PREFIX / f"{name}{SUFFIX}"
    whole = path.read_text()
    path.write_text(whole.replace('"rows": 3', '"rows": 2'))
    assert "another SHA-256" in verify("--all")[0]["why"]
    path.write_text(whole)
    Archive.objects.update(manifest="")
    assert "purge_archive has no copy of it" in verify("--all")[0]["why"]
    with pytest.raises(CommandError, match="purge_archive has no copy"):
        load(name)
    assert not Token.objects.exists()


def test_a_copy_does_not_stand_in_where_the_ledger_has_a_sha256(folder: Path) -> None:
    name = archived()
    path = folder / PREFIX / f"{name}{SUFFIX}"
    path.write_text(path.read_text().replace('"rows": 3', '"rows": 2'))
    Archive.objects.update(manifest=path.read_text())
    assert [each["name"] for each in verify("--all")] == [f"{PREFIX}{name}{SUFFIX}"]
    with pytest.raises(CommandError, match="another SHA-256"):
        load(name)


# Hostile manifests

BAD: dict[str, Any] = {
    "null": None, "true": True, "minus": -1, "float": 1.5, "huge": 10**400, "empty": "",
    "long": "x" * 100_000, "list": [], "object": {}, "nested": [[[[{}]]]], "up": "../../etc/passwd",
    "absolute": "/etc/passwd", "line": "a\nWRONG b\x1b[2J", "half": "\ud800", "nul": "a\0b",
    "other": "auth.user", "million": ["x"] * 10_000,
}  # fmt: skip


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field of a manifest, and one of the end that is not there."""
    if at:
        yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*at, key))


def changed(manifest: dict[str, Any], at: tuple[Any, ...], bad: Any) -> dict[str, Any]:
    found = copy.deepcopy(manifest)
    inner: Any = found
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = bad
    return found


def hostile(good: dict[str, Any]) -> Iterator[bytes]:
    """Each field replaced by each bad value, one left out, one more, and what is no manifest."""
    for at in {path: None for path in paths(good) if path[0] != "columns" or path[1:] < (1,)}:
        for bad in BAD.values():
            yield json.dumps(changed(good, at, bad)).encode()
    for name in good:
        yield json.dumps({key: value for key, value in good.items() if key != name}).encode()
    yield json.dumps(good | {"more": 1}).encode()
    yield json.dumps(good | {"version": 2}).encode()
    yield json.dumps(good).encode("utf-16")
    yield from (b"", b"\xff\xfe", b"[" * 100_000, b'{"version":' * 20_000, b"9" * 10_000, b"NaN")
    yield b'{"version": 1, "name": "' + b"x" * (2 * MB) + b'"}'


def test_each_hostile_manifest_is_one_line(folder: Path) -> None:
    name = archived()
    good, number = manifests(folder)[0], 0
    for number, body in enumerate(hostile(good), 1):
        own = body.replace(name.encode(), b"bad%d" % number)
        (folder / PREFIX / f"bad{number}{SUFFIX}").write_bytes(own)
    assert number > 300
    problems = verify("--all")
    assert len(problems) == number
    assert len({problem["name"] for problem in problems}) == number
    assert not any("\n" in problem["why"] for problem in problems)
    # The good one was read all the same.
    path = folder / PREFIX / f"{name}.txt"
    path.write_bytes(path.read_bytes() + b"more\n")
    assert f"{PREFIX}{name}.txt" in {problem["name"] for problem in verify("--all")}
    call_command("archive", "ls", "--prefix", PREFIX, stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.slow
def test_each_hostile_manifest_in_the_place_of_a_good_one(folder: Path) -> None:
    name = archived()
    path, before = folder / PREFIX / f"{name}{SUFFIX}", counts()
    good = json.loads(path.read_text())
    for body in list(hostile(good))[::7]:
        path.write_bytes(body)
        assert [each["name"] for each in verify("--all")] == [f"{PREFIX}{name}{SUFFIX}"]
        for options in ((), ("--into", "looked_at")):
            with pytest.raises(CommandError):
                load(name, *options)
    assert counts() == before


def test_names_of_objects_steer_no_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / PREFIX).mkdir()
    for number, odd in enumerate(("a\x1b[2J", "b\nok    c", "d\u202ee")):
        (folder / PREFIX / f"{odd}{SUFFIX}").write_text("{}")
        (folder / PREFIX / f"{number}{odd}").write_text("x")
    with pytest.raises(CommandError, match="6 problems"):
        call_command("archive", "verify", "--all", "--prefix", PREFIX)
    call_command("archive", "ls", "--prefix", PREFIX)
    told = capsys.readouterr()
    assert not {"\x1b", "\u202e"} & set(told.out + told.err)
    assert [line[:5] for line in told.out.splitlines()[:6]] == ["WRONG"] * 6


# Little memory


def zstandard(body: bytes) -> bytes:
    packed = io.BytesIO()
    with zstd_to(packed) as file:
        file.write(body)
    return packed.getvalue()


def bomb(form: str, lines: bool) -> bytes:
    """100 MB in one line, or in very many."""
    body = b'{"id": "' + b"0" * (100 * MB) + b'"}\n' if not lines else b"{}\n" * (30 * MB)
    packed = {"jsonl": lambda: gzip.compress(body, 9), "jsonlzst": lambda: zstandard(body)}
    return packed.get(form, lambda: body)()


@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "json"])
@pytest.mark.parametrize("lines", [True, False])
def test_a_bomb_takes_little_memory(
    form: str, lines: bool, folder: Path, looked_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / PREFIX).mkdir()
    Token.objects.create(label="x")
    planted = made(folder, Token, [form], name="bomb", recorded=False)
    body = bomb(form, lines)
    if form == "json":
        body = b"[\n" + body
    (folder / planted.files[0].name).write_bytes(body)
    said = json.loads(planted.as_json())
    said["files"][0] |= {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    (folder / PREFIX / f"bomb{SUFFIX}").write_text(json.dumps(said))
    del body
    tracemalloc.start()
    try:
        assert len(verify("--all")) == 1
        verified = tracemalloc.get_traced_memory()[1]
        with pytest.raises(CommandError, match=r"a row of more than|is no \w+ archive"):
            load("bomb", "--untrusted", "--into", looked_at)
        loaded = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert verified < 8 * MB
    assert loaded < 64 * MB


def test_more_rows_than_the_manifest_says(folder: Path, looked_at: str) -> None:
    (folder / PREFIX).mkdir()
    tokens(3)
    made(folder, Token, ["jsonl"], name="more", rows=2, recorded=False)
    with pytest.raises(CommandError, match="more rows than its manifest says"):
        load("more", "--untrusted", "--into", looked_at)


def test_a_file_that_is_larger_is_not_read_to_its_end(folder: Path) -> None:
    name = archived()
    path = folder / PREFIX / f"{name}.txt"
    with path.open("r+b") as file:
        file.truncate(2**40)
    assert [problem["why"].partition(" bytes")[0][:13] for problem in verify("--all")] == [
        "has more than"
    ]


def test_parquet_of_somebody_is_refused(folder: Path, looked_at: str) -> None:
    (folder / PREFIX).mkdir()
    tokens(1)
    made(folder, Token, ["parquet"], name="pages", recorded=False)
    with pytest.raises(CommandError, match="takes any memory to read"):
        load("pages", "--untrusted", "--into", looked_at)
    assert [name for name, each in FORMATS.items() if each.is_bounded] == [
        "json", "jsonl", "jsonlzst",
    ]  # fmt: skip


ROWS = [
    b'{"id": 1}', b"{}", b"[]", b"x", b'{"id": "\\ud800", "label": "a"}', b'{"id"', b'"id"',
    b'{"id": 1, "_exact": []}', b'{"id": 1, "_exact": {"is_superuser": "t"}}',
    b'{"id": 1, "_exact": {"id": {}}}', b'{"id": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"id": "a\\u0000b"}', b'{"id": "x\\ny\\t\\\\."}', b'{"id": 99999999999999999999999}',
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_rows_that_are_none(row: bytes, folder: Path, looked_at: str) -> None:
    (folder / PREFIX).mkdir()
    body = gzip.compress(row + b"\n")
    name = f"{PREFIX}odd.jsonl.gz"
    file = {"format": "jsonl", "name": name, "bytes": len(body)}
    said = {
        "name": "odd", "policy": "tokens", "model": "zoo.token", "table": "t", "key": "id",
        "rows": 1, "first": {"key": None, "time": None}, "last": {"key": None, "time": None},
        "made": "2025-01-27T04:00:01+00:00", "columns": [{"name": "id", "type": "integer"}],
        "files": [file | {"sha256": hashlib.sha256(body).hexdigest()}], "version": 1,
    }  # fmt: skip
    (folder / name).write_bytes(body)
    (folder / PREFIX / f"odd{SUFFIX}").write_text(json.dumps(said))
    before = counts()
    try:
        load("odd", "--untrusted", "--into", looked_at)
        assert row == ROWS[0]
    except CommandError:
        assert row != ROWS[0]
    assert counts() == before


# The folder


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path / "a" / "b")
    before = os.umask(0o022)
    try:
        archived()
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    folders = {"a", "a/b", "a/b/old"}
    assert {name for name, mode in modes.items() if mode == 0o700} == folders
    assert {mode for name, mode in modes.items() if name not in folders} == {0o600}
    assert len(modes) == 6


def test_a_folder_that_is_there_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o755)  # whatever the umask is
    with archiving("tokens", checked=False):
        assert check_folder() == []  # nobody gets through the folder above
        tmp_path.chmod(0o755)
        (found,) = check_folder()
        assert (found.id, str(tmp_path / "old") in found.msg) == ("purge.W005", True)
        archived()
        assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o755
        (tmp_path / "old").chmod(0o750)
        assert check_folder() == []


def put(where: ArchiveFolder, name: str) -> None:
    where.put(name, io.BytesIO(b"secret"), {})


def test_no_link_is_followed(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    (theirs / "x").write_text("theirs")
    where = ArchiveFolder(mine)
    (mine / "up").symlink_to(theirs)
    (mine / "x").symlink_to(theirs / "x")
    (mine / "new").symlink_to(theirs / "new")
    os.mkfifo(mine / "pipe")
    for name in ("up/x", "x", "new", "pipe"):
        with pytest.raises(LifecycleError):
            list(where.read(name))
        with pytest.raises(LifecycleError):
            put(where, name)
    where.remove("x")  # the link, not what it points at
    with pytest.raises(LifecycleError):
        where.remove("up/x")
    assert list(where.names("")) == []
    assert {path.name: path.read_text() for path in theirs.iterdir()} == {"x": "theirs"}


def test_no_name_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where, victim = ArchiveFolder(tmp_path), tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / ".NAME.json.part").symlink_to(victim)
    put(where, "NAME.json")
    assert victim.read_text() == "theirs"
    assert (tmp_path / "NAME.json").read_bytes() == b"secret"
    # Not even one that is guessed.
    monkeypatch.setattr("purge.archive.folder.secrets.token_hex", lambda size: "0" * 2 * size)
    (tmp_path / f".OTHER.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(LifecycleError):
        put(where, "OTHER")
    assert victim.read_text() == "theirs"


def test_nothing_is_replaced_and_no_part_is_left(tmp_path: Path) -> None:
    where = ArchiveFolder(tmp_path)
    put(where, "old/a")
    (tmp_path / "old" / f".a.{'f' * 16}.part").write_text("of a killed worker")
    with pytest.raises(ObjectExists):
        where.put("old/a", io.BytesIO(b"other"), {})
    assert b"".join(where.read("old/a")) == b"secret"
    where.remove("old/a")
    assert list((tmp_path / "old").iterdir()) == []


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "./a", "a//b", "", "a\0b", "a/.."])
def test_no_name_leads_out(name: str, tmp_path: Path) -> None:
    where = ArchiveFolder(tmp_path / "in")
    for call in (lambda: list(where.read(name)), lambda: put(where, name)):
        with pytest.raises(LifecycleError, match="is outside of"):
            call()
    assert list(tmp_path.iterdir()) == []


# As it was


def test_into_and_filter_are_quoted(folder: Path) -> None:
    name = archived()
    evil = 'x"; DROP TABLE zoo_token; --'
    with pytest.raises(CommandError, match="No row of"):
        load(name, "--into", evil, "--filter", "label=token 1' OR '1'='1")
    assert fetch("default", 'SELECT count(*) FROM "x""; DROP TABLE zoo_token; --"') == [(0,)]
    fetch("default", 'DROP TABLE "x""; DROP TABLE zoo_token; --"')
    with pytest.raises(CommandError, match="There is no column"):
        load(name, "--filter", f"{evil}=1")
    assert Token.objects.count() == 0


def test_secrets_are_in_no_log(
    s3_server: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    with into(s3_server.bucket()) as bucket:
        name = archived()
        verify(name)
        load(name)
        with pytest.raises(CommandError):
            load("missing")
    told = capsys.readouterr()
    assert any(record.name.startswith("botocore") for record in caplog.records)
    assert bucket.server.secret not in caplog.text + told.out + told.err
    assert bucket.server.secret not in repr(destination())
