"""Twelve attacks by who may do anything in the database, or in the store, or in both.

Each line says what is done, which command finds it, and what that names; `docs/explanation/
threat-model.md` has the same lines, and a test that compares them. The database is attacked as its
superuser, past the guards of the ledger; the store as who administers the folder or the bucket.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from lifecycle import certificate as checker
from lifecycle.db.connection import fetch
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.keys import SignerKey
from lifecycle.proof.note import sign
from lifecycle.proof.tlog_proof import TlogProof
from lifecycle.sealing import log as logs
from lifecycle.sealing.log import read_log
from lifecycle.sealing.seal import seal_all
from purge.proof import bundle, gate, place, work
from purge.proof.work import publish_now
from tests.infra.servers import ROOT
from tests.lifecycle.proof.writing import write as write_columns
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import (
    LOG,
    ORIGIN,
    USING,
    WITNESS,
    a_due_row,
    as_superuser,
    in_folder,
    it_ends,
    options,
    read_head,
)
from tests.s3.swift import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(10)]

VERIFY, DEEP = ("verify", "--proof"), ("verify", "--proof", "--deep")
PROOF, CERTIFICATE = ("proof",), ("certificate",)


class Folder:
    """The store as who administers the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __getitem__(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def __setitem__(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def names(self) -> list[str]:
        return [str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()]

    def empty(self) -> None:
        shutil.rmtree(self.root)


class Bucket:
    """The store as who administers the bucket."""

    def __init__(self, bucket: Any, prefix: str) -> None:
        self.bucket, self.prefix = bucket, prefix

    def __getitem__(self, path: str) -> bytes:
        return bytes(self.bucket.get(self.prefix + path))

    def __setitem__(self, path: str, data: bytes) -> None:
        self.bucket.put(self.prefix + path, data)

    def names(self) -> list[str]:
        return [key.removeprefix(self.prefix) for key in self.bucket.keys(self.prefix)]

    def empty(self) -> None:
        for path in self.names():
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=self.prefix + path)


@dataclass
class Site:
    """A site whose ledger is sealed and published, as an attacker finds it."""

    store: Any
    path: Path
    witnesses: dict[str, str] = field(default_factory=dict)

    def goes_on(self) -> None:
        """More is written, published, and cosigned by who is asked."""
        write(4)
        with in_folder(self.path, witnesses=self.witnesses):
            publish_now(USING)

    def certificate(self) -> Path:
        """One that its holder keeps, of a row that has ended."""
        row = a_due_row()
        it_ends(row)
        publish_now(USING)
        run("certificate", f"zoo.Token:{row.pk}", "--out", str(self.path))
        (found,) = self.path.glob("*.tlog-proof")
        return found


@dataclass(frozen=True)
class Attack:
    """What is done, and says what is to be named of it; what finds it."""

    title: str
    make: Callable[[Site], str]
    found_by: tuple[tuple[str, ...], ...]
    at_store: bool = False
    only_witness: bool = False


def run(*words: str) -> tuple[int, str]:
    """A command's exit code and what it says."""
    out = io.StringIO()
    try:
        call_command("lifecycle", *words, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def check(words: tuple[str, ...], site: Site, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run what is to find an attack: a command, or a stranger's check of a certificate."""
    if words != CERTIFICATE:
        return run(*words)
    (path,) = site.path.glob("*.tlog-proof")
    capsys.readouterr()
    return checker.main([str(path), "--key", str(LOG)]), capsys.readouterr().err


def newest(back: int = 0) -> int:
    text = f"SELECT id FROM lifecycle_event ORDER BY id DESC OFFSET {back} LIMIT 1"
    return int(fetch(USING, text)[0][0])


def index_of(number: int) -> str:
    found = logs.index_of(USING, number)
    assert found
    return f"event {number} (index {found[1]})"


def change(column: str, value: str) -> Callable[[Site], str]:
    def make(site: Site) -> str:
        number = newest(100)
        as_superuser(f"UPDATE lifecycle_event SET {column} = {value} WHERE id = %(n)s", n=number)
        return f"{index_of(number)} is not what was sealed"

    return make


def change_with_its_leaf(site: Site) -> str:
    """The event, its leaf and the tree of the table, all made to fit; the salts stay."""
    number = newest(100)
    named = index_of(number)
    salts = fetch(USING, "SELECT first, salts FROM lifecycle_seal ORDER BY first")
    as_superuser("UPDATE lifecycle_event SET actor = 'x' WHERE id = %(n)s", n=number)
    seal_anew(b"".join(bytes(each) for _, each in salts))
    return f"{named} is not what was published"


def seal_anew(salts: bytes) -> None:
    as_superuser("DELETE FROM lifecycle_seal")
    as_superuser("UPDATE lifecycle_log SET size = 0, frontier = '', last_event = 0, gaps = '[]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.urandom", lambda size: salts[:size])
        seal_all(USING)


def rewrite(site: Site) -> str:
    """With new salts: every leaf is another one."""
    as_superuser("UPDATE lifecycle_event SET actor = 'x' WHERE id = %(n)s", n=newest(100))
    as_superuser("DELETE FROM lifecycle_seal")
    as_superuser("UPDATE lifecycle_log SET size = 0, frontier = '', last_event = 0, gaps = '[]'")
    seal_all(USING)
    return "is not what was published"


def remove(site: Site) -> str:
    number = newest(7)
    as_superuser("DELETE FROM lifecycle_event WHERE id = %(n)s", n=number)
    return f"{index_of(number)} is not in the table any more"


def insert(site: Site) -> str:
    """Under a number that a transaction has drawn and not used."""
    number = newest() + 1
    fetch(USING, "SELECT nextval(pg_get_serial_sequence('lifecycle_event', 'id'))")
    write()
    for _ in range(2):
        publish_now(USING)
    write_columns({"id": str(number), "kind": "'kept'", "recorded_at": "clock_timestamp()"})
    publish_now(USING)
    return f"event {number} was put into the table after others were sealed"


def reorder(site: Site) -> str:
    one, other = newest(4), newest(5)
    as_superuser("UPDATE lifecycle_event SET id = -id WHERE id IN (%(a)s, %(b)s)", a=one, b=other)
    swap = "UPDATE lifecycle_event SET id = CASE -id WHEN %(a)s THEN %(b)s ELSE %(a)s END"
    as_superuser(f"{swap} WHERE id < 0", a=one, b=other)
    return f"{index_of(other)} is not what was sealed"


def cut(site: Site) -> str:
    number = newest(2)
    as_superuser("DELETE FROM lifecycle_event WHERE id >= %(n)s", n=number)
    return f"{index_of(number)} is not in the table any more"


def cut_with_the_log(site: Site) -> str:
    """As a backup would have it: the seals and the log's row too."""
    with put_back():
        size = read_head().size
        site.goes_on()
    return f"restored: the database was restored from a backup: the last {read_head().size - size}"


@contextmanager
def put_back() -> Iterator[None]:
    """What is recorded, sealed and noted meanwhile is taken out of the database again."""
    log = read_log(USING)
    assert log
    as_superuser("CREATE TABLE old_log AS TABLE lifecycle_log")
    yield
    as_superuser("DELETE FROM lifecycle_event WHERE id > %(n)s", n=log.last_event)
    as_superuser("DELETE FROM lifecycle_seal WHERE first >= %(n)s", n=log.size)
    as_superuser("DELETE FROM lifecycle_log")
    as_superuser("INSERT INTO lifecycle_log SELECT * FROM old_log")
    as_superuser("DROP TABLE old_log")


def swap_hashes(site: Site) -> str:
    tile = site.store["tile/0/000"]
    site.store["tile/0/000"] = tile[:320] + tile[352:384] + tile[320:352] + tile[384:]
    return "(index 10) is not what was published"


def swap_an_upper_tile(site: Site) -> str:
    (path,) = [name for name in site.store.names() if name.startswith("tile/1/")]
    site.store[path] = b"x" * len(site.store[path])
    return "add up to another root"


def change_an_entry(site: Site) -> str:
    site.store["tile/entries/000"] = site.store["tile/entries/000"][:-1] + b"x"
    return "tile/entries/000 has other entries than its tile has leaves"


def change_a_published_event(site: Site) -> str:
    """What a replay would read; who does this has the site's `key`."""
    path = next(name for name in site.store.names() if name.startswith("events/"))
    text, salts = bundle.unpack(bundle.unlock(site.store[path], options().key, path))
    lines = [json.loads(line) for line in text.splitlines()]
    lines[5][1] = "x"
    changed = "".join(f"{json.dumps(line)}\n" for line in lines)
    site.store[path] = bundle.lock(bundle.encode(changed, salts), options().key, path)
    return f"event {lines[5][0]} (index 5) in {path} is not what was sealed"


def roll_back(site: Site) -> str:
    old, size = site.store["checkpoint"], read_head().size
    write(3)
    publish_now(USING)
    now = read_head().size
    site.store["checkpoint"] = old
    return f"the checkpoint has gone back from {now} events to {size}"


def sign_by_another(site: Site) -> str:
    key = SignerKey.generate(ORIGIN).named(f"{ORIGIN}/1")
    head = read_head()
    site.store["checkpoint"] = sign(Checkpoint(*head).text, key).encode()
    return "no signature of a known key"


def forge(site: Site) -> str:
    """Another kind of ending: by the site itself, not by its policy."""
    path = site.certificate()
    made = TlogProof.parse(path.read_bytes())
    extra = made.extra or b""
    assert b'"purged"' in extra
    path.write_bytes(made._replace(extra=extra.replace(b'"purged"', b'"deleted"')).encode())
    return "It does not hold"


def forge_by_another_key(site: Site) -> str:
    """Somebody with a key of his own under the site's name has signed another tree."""
    other = SignerKey.generate(ORIGIN)
    site.certificate()
    (path,) = site.path.glob("*.tlog-proof")
    path.unlink()
    site.store.empty()
    as_superuser("TRUNCATE lifecycle_log, lifecycle_seal")
    with in_folder(site.path, signing_key=other.secret_text):
        work._publishers.clear()
        gate.forget(USING)
        publish_now(USING)
        site.certificate()
    return "It does not hold"


def empty(site: Site) -> str:
    site.store.empty()
    return "events were published, and "


def turn_the_clock(site: Site) -> str:
    """On by a day, and back again: what was written meanwhile has the wrong time."""
    write_columns({"kind": "'kept'", "recorded_at": "clock_timestamp() + interval '1 day'"})
    (number,) = write()
    publish_now(USING)
    return f"event {number} has the time "


def rewrite_both(site: Site) -> str:
    """Ledger and store begin anew; the site's own worker signs the other history."""
    as_superuser("UPDATE lifecycle_event SET actor = 'x' WHERE id = %(n)s", n=newest(100))
    as_superuser("TRUNCATE lifecycle_log, lifecycle_seal")
    site.store.empty()
    publish_now(USING)
    return "has signed another tree of"


def roll_back_both(site: Site) -> str:
    """A snapshot of the machine that has both is put back."""
    objects, size = {path: site.store[path] for path in site.store.names()}, read_head().size
    with put_back():
        site.goes_on()
    site.store.empty()
    for path, data in objects.items():
        site.store[path] = data
    return f"the witness has signed {size + 4} events of this log, which has {size}"


ATTACKS = (
    Attack("an event is changed", change("actor", "'x'"), (VERIFY, DEEP)),
    Attack("its time is changed", change("recorded_at", "now()"), (VERIFY, DEEP)),
    Attack("its count of rows is changed", change("count", "7"), (VERIFY, DEEP)),
    Attack("its detail is changed", change("detail", "'{\"a\": 1}'"), (VERIFY, DEEP)),
    Attack("an event is changed, its leaf and the tree too", change_with_its_leaf, (VERIFY, DEEP)),
    Attack("an event is removed", remove, (VERIFY, DEEP)),
    Attack("an event is inserted between sealed ones", insert, (DEEP,)),
    Attack("events change places", reorder, (VERIFY, DEEP)),
    Attack("the newest events are cut off", cut, (VERIFY, DEEP)),
    Attack("events, leaves and the log's row are cut off", cut_with_the_log, (PROOF, VERIFY)),
    Attack("the whole ledger is rewritten", rewrite, (VERIFY, DEEP)),
    Attack("hashes of a tile change places", swap_hashes, (VERIFY, DEEP), at_store=True),
    Attack("an upper tile is replaced", swap_an_upper_tile, (VERIFY, DEEP), at_store=True),
    Attack("a published entry is changed", change_an_entry, (DEEP,), at_store=True),
    Attack("a published event is changed", change_a_published_event, (DEEP,), at_store=True),
    Attack("the checkpoint is rolled back", roll_back, (PROOF, VERIFY), at_store=True),
    Attack("the key is replaced", sign_by_another, (PROOF, VERIFY), at_store=True),
    Attack("a certificate is forged", forge, (CERTIFICATE,)),
    Attack("a certificate is forged by another key", forge_by_another_key, (CERTIFICATE,)),
    Attack("the store is emptied", empty, (PROOF, VERIFY), at_store=True),
    Attack("the clock is turned", turn_the_clock, (DEEP,)),
    Attack("ledger and store are rewritten", rewrite_both, (VERIFY, PROOF), only_witness=True),
    Attack("ledger and store are rolled back", roll_back_both, (VERIFY, PROOF), only_witness=True),
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker that has just begun."""
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(work, "_publishers", {})
    monkeypatch.setattr(gate, "TRUSTED", 0.0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with in_folder(tmp_path):
        write(300)
        publish_now(USING)
        yield Site(Folder(tmp_path / "proof" / ORIGIN / "1"), tmp_path)


@pytest.fixture
def site_with_bucket(tmp_path: Path, s3_server: Server) -> Iterator[Site]:
    bucket = s3_server.bucket()
    with in_folder(tmp_path), override_settings(**bucket.settings):
        write(300)
        publish_now(USING)
        yield Site(Bucket(bucket, f"proof/{ORIGIN}/1/"), tmp_path)


def is_found(attack: Attack, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    named = attack.make(site)
    for words in attack.found_by:
        code, said = check(words, site, capsys)
        assert (code, named in said) == (1, True), said


def ids(attack: Attack) -> str:
    return attack.title


@pytest.mark.parametrize("attack", [a for a in ATTACKS if not a.only_witness], ids=ids)
def test_is_found(attack: Attack, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    is_found(attack, site, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.at_store], ids=ids)
def test_is_found_in_a_bucket(
    attack: Attack, site_with_bucket: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    is_found(attack, site_with_bucket, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.only_witness], ids=ids)
def test_only_the_witness_finds(
    attack: Attack, tmp_path: Path, witness: str, capsys: pytest.CaptureFixture[str]
) -> None:
    witnesses = {witness: str(WITNESS.verifier)}
    site = Site(Folder(tmp_path / "proof" / ORIGIN / "1"), tmp_path, witnesses)
    with in_folder(tmp_path):
        write(300)
        site.goes_on()
        named = attack.make(site)
        assert [run(*words)[0] for words in (DEEP, PROOF)] == [0, 0]
    with in_folder(tmp_path, witnesses=witnesses):
        code, said = run(*VERIFY)
        assert (code, named in said) == (1, True), said
        work._publishers.clear()
        publish_now(USING)  # the worker begins
        code, said = run(*PROOF)
        assert (code, WITNESS.name in said) == (1, True), said


def test_the_threat_model_has_each_of_them() -> None:
    page = (ROOT / "docs/explanation/threat-model.md").read_text()
    for attack in ATTACKS:
        (line,) = [each for each in page.splitlines() if each.startswith(f"| {attack.title} |")]
        for words in attack.found_by:
            command = "python -m lifecycle." if words == CERTIFICATE else "lifecycle "
            assert f"`{command}{' '.join(words)}" in line.replace("[--deep]", "--deep"), line
        assert ("the witness" in line) == attack.only_witness
