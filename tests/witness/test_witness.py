"""docs/how-to/run-a-witness.md: a witness signs what continues, killed or asked by the hostile."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import Malformed, ProofError
from lifecycle.proof.keys import COSIGNATURE, SignerKey
from lifecycle.proof.note import Note, sign
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.witness import state
from lifecycle.witness.__main__ import main
from lifecycle.witness.client import Forked, Rewound, WitnessUnavailable, cosign, post
from lifecycle.witness.protocol import SIZE, Answer, Request, Witness
from lifecycle.witness.state import Head, State
from tests.infra.servers import ROOT

LOG = SignerKey("example.org/lifecycle/1", bytes(range(32)))
KEY = SignerKey("witness.example/w1", bytes(range(1, 33)), COSIGNATURE)


class Log:
    """A log of so many leaves; two of the same seed have the same ones, as far as both go."""

    def __init__(self, size: int, seed: int = 1, key: SignerKey = LOG) -> None:
        edge = Edge()
        tiles = {tile.path: data for tile, data in edge.append(Random(seed).randbytes(32 * size))}
        tiles |= {tile.path: data for tile, data in edge.partial()}
        self.size, self.reader = size, TileReader(tiles.get, size)
        self.head = Checkpoint(key.name, size, edge.root())
        self.note = sign(self.head.text, key)

    def request(self, old: int) -> bytes:
        return Request(old, tuple(self.reader.consistency_proof(old)), self.note).encode()


@pytest.fixture
def remembered(tmp_path: Path) -> Iterator[State]:
    state.create(str(tmp_path / "state"))
    with state.opened(str(tmp_path / "state")) as found:
        yield found


@pytest.fixture
def witness(remembered: State) -> Witness:
    return Witness(KEY, {LOG.name: [LOG.verifier]}, remembered)


def on_disk(remembered: State) -> dict[str, Head]:
    return state.parse(Path(remembered.path).read_bytes())


def test_what_continues_is_cosigned(witness: Witness, remembered: State) -> None:
    for old, new in ((0, 3), (3, 3), (3, 300), (300, 1000)):
        log = Log(new)
        answer = witness.answer(log.request(old))
        assert (answer.status, on_disk(remembered)) == (200, {LOG.name: log.head[1:3]})
        whole = log.note.encode() + answer.body
        opened = open_checkpoint(whole, [LOG.verifier], [KEY.verifier], quorum=1)
        assert opened.witnesses == {KEY.name}


def test_another_old_size_is_told_ours(witness: Witness, remembered: State) -> None:
    assert witness.answer(Log(5).request(0)).status == 200
    for old, new in ((0, 9), (4, 9), (6, 9), (0, 3), (3, 3), (0, 5)):
        assert witness.answer(Log(new).request(old)) == Answer(409, b"5\n", SIZE)
    assert on_disk(remembered)[LOG.name].size == 5


def test_another_history_is_refused(witness: Witness, remembered: State) -> None:
    assert witness.answer(Log(5).request(0)).status == 200
    before = on_disk(remembered)
    assert witness.answer(Log(9, seed=2).request(5)).status == 422
    assert witness.answer(Log(5, seed=2).request(5)) == Answer(409, b"5\n", SIZE)
    none = Request(5, (), Log(9).note).encode()
    assert witness.answer(none).status == 422
    assert on_disk(remembered) == before


def test_strangers_are_refused(witness: Witness, remembered: State) -> None:
    other = SignerKey("example.org/other", bytes(32))
    assert witness.answer(Log(3, key=other).request(0)).status == 404
    forged = SignerKey(LOG.name, bytes(32))
    assert witness.answer(Log(3, key=forged).request(0)).status == 403
    log = Log(3)
    changed = Note(log.head._replace(size=4).text, log.note.signatures)
    assert witness.answer(Request(0, (), changed).encode()).status == 403
    assert witness.answer(Request(4, (), log.note).encode()).status == 400
    assert on_disk(remembered) == {}


GOOD = Log(7).request(0)


@given(st.data())
def test_no_other_request_is_cosigned(data: st.DataObject) -> None:
    class Forgetful(State):
        def put(self, origin: str, head: Head) -> None:
            assert head == Log(7).head[1:3]

    place = data.draw(st.integers(0, len(GOOD) - 1))
    noise = data.draw(st.binary(max_size=6))
    width = data.draw(st.integers(0, 6))
    body = GOOD[:place] + noise + GOOD[place + width :]
    answer = Witness(KEY, {LOG.name: [LOG.verifier]}, Forgetful("", {})).answer(body)
    # What still parses is the same request, or one with a stranger's line below.
    if answer.status == 200:
        assert Request.parse(body).checkpoint.text == Log(7).note.text
    else:
        assert answer.status in (400, 403, 404, 409, 422)


@given(st.binary(max_size=400))
def test_noise_is_a_bad_request(body: bytes) -> None:
    assert Witness(KEY, {}, State("", {})).answer(body).status == 400


def test_a_disk_that_is_full_signs_nothing(
    witness: Witness, remembered: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert witness.answer(Log(3).request(0)).status == 200

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            witness.answer(Log(9).request(3))
    assert on_disk(remembered)[LOG.name].size == 3
    assert witness.answer(Log(9).request(3)).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]\n", b'{"a":{"size":-1,"root":""}}\n', b'{"a":{"size":1}}\n',
        b'{"a":{"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","size":1.0}}\n', b"{} \n",
    ],
)  # fmt: skip
def test_a_damaged_state_begins_nothing(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(Malformed), state.opened(str(tmp_path / "state")):
        pass


def test_a_state_that_is_gone_or_taken_begins_nothing(remembered: State, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), state.opened(str(tmp_path / "other")):
        pass
    with pytest.raises(ProofError, match="another witness has"), state.opened(remembered.path):
        pass
    with pytest.raises(FileExistsError):
        state.create(remembered.path)


# As a process.


@contextmanager
def running(folder: Path, code: str = "") -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A witness as a process, its address; `code` is run in it before."""
    start = "import sys; from lifecycle.witness.__main__ import main; sys.exit(main())"
    line = [
        sys.executable, "-c", f"{code}\n{start}", "--key", str(folder / "key"), "--port", "0",
        "--state", str(folder / "state"), "--log", str(LOG.verifier),
    ]  # fmt: skip
    process = subprocess.Popen(
        line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == f"{KEY.verifier}\n"
        port = process.stdout.readline().rpartition(":")[2].strip()
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(f"{KEY.secret_text()}\n")
    state.create(str(tmp_path / "state"))
    return tmp_path


def signed(folder: Path) -> int:
    heads = state.parse((folder / "state").read_bytes())
    return heads.get(LOG.name, state.NOTHING).size


def ask(url: str, log: Log, last: int = 0) -> bytes:
    return str(cosign(url, KEY.verifier, log.note, log.reader.consistency_proof, last)).encode()


def test_a_log_has_its_heads_cosigned(folder: Path) -> None:
    with running(folder) as (url, process):
        for size in (3, 300, 300, 301):
            log = Log(size)
            whole = log.note.encode() + ask(url, log)
            assert open_checkpoint(whole, [LOG.verifier], [KEY.verifier], 1).witnesses
        with pytest.raises(Rewound, match="has signed 301 events of this log, which has 200"):
            ask(url, Log(200))
        with pytest.raises(Forked):
            ask(url, Log(301, seed=2))
        with pytest.raises(Forked):
            ask(url, Log(400, seed=2))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert signed(folder) == 301


@pytest.mark.parametrize(
    ("step", "when", "left"),
    [
        ("open", "before", 3), ("fsync", "before", 3), ("replace", "before", 3),
        ("replace", "after", 9), ("fsync of the folder", "before", 9), ("answer", "before", 9),
        ("answer", "after", 9),
    ],
)  # fmt: skip
def test_killed_at_any_step_it_goes_on(step: str, when: str, left: int, folder: Path) -> None:
    """What it has signed, it remembers; what it remembers unsigned, it signs when asked again."""
    state.write(str(folder / "state"), {LOG.name: Head(3, Log(3).head.root)})
    with running(folder, killing(step, when)) as (url, process):
        with pytest.raises(WitnessUnavailable):
            ask(url, Log(9), last=3)
        assert process.wait(30) == -signal.SIGKILL
    assert signed(folder) == left
    with state.opened(str(folder / "state")) as remembered:
        again = Witness(KEY, {LOG.name: [LOG.verifier]}, remembered)
        assert again.answer(Log(9).request(left)).status == 200
        assert again.answer(Log(5).request(3)) == Answer(409, b"9\n", SIZE)
    assert signed(folder) == 9


def killing(step: str, when: str) -> str:
    """Python that kills its process at a step of what answers a request."""
    number = {"fsync": 1, "fsync of the folder": 2}.get(step, 1)
    owner, name = {
        "open": ("lifecycle.witness.state", "write"), "replace": ("os", "replace"),
        "answer": ("lifecycle.witness.protocol", "Witness._cosigned"),
    }.get(step, ("os", "fsync"))  # fmt: skip
    return "\n".join((
        f"import importlib, os; owner = importlib.import_module({owner!r})",
        f"*path, name = {name!r}.split('.')",
        "for each in path: owner = getattr(owner, each)",
        "inner, calls = getattr(owner, name), []",
        "def deadly(*given):",
        "    calls.append(1)",
        f"    last = len(calls) == {number}",
        f"    if last and {when == 'before'}: os.kill(os.getpid(), 9)",
        "    done = inner(*given)",
        "    if last: os.kill(os.getpid(), 9)",
        "    return done",
        "setattr(owner, name, deadly)",
        "",
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /add-checkpoint HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1" + b"0" * 40 + b"\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx", b"400"),
        (b"\x16\x03\x01\x00\xa5nonsense\r\n\r\n", b"400"),
        (b"x" * 70_000 + b"\r\n\r\n", b"414"),
    ],
)
def test_hostile_requests_are_answered_and_the_next_one_too(
    sent: bytes, status: bytes, hostile: tuple[str, Path]
) -> None:
    url, folder = hostile
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(sent)
        assert status in client.recv(200)
    before = signed(folder)
    assert post(url, b"noise").status == 400
    assert signed(folder) == before


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One witness for all of them, with silent clients that hold connections open."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "key").write_text(f"{KEY.secret_text()}\n")
    state.create(str(folder / "state"))
    with running(folder) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(20)]
        yield url, folder
        for each in silent:
            each.close()


class Fake:
    """A witness that answers what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]
        monkeypatch.setattr("lifecycle.witness.client.post", self.post)

    def post(self, url: str, body: bytes) -> Answer:
        self.asked.append(Request.parse(body).old)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(500)], [Answer(403)], [Answer(404)], [Answer(409, b"x\n")], [Answer(409, b"-1\n")],
        [Answer(200, b"")], [Answer(200, b"noise\n")], [Answer(200, str(LOG).encode())],
        [Answer(409, b"3\n"), Answer(409, b"4\n"), Answer(409, b"3\n")],
    ],
)  # fmt: skip
def test_a_witness_that_answers_wrongly_is_no_alarm(
    answers: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(monkeypatch, *answers)
    with pytest.raises(WitnessUnavailable):
        ask("http://w.example", Log(9))
    assert fake.answers == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "ftp://w.example", "nowhere", "http://127.0.0.1:999999"]
)
def test_a_witness_that_is_not_there_is_no_alarm(url: str) -> None:
    with pytest.raises(WitnessUnavailable):
        ask(url, Log(9))


def test_a_cosignature_of_somebody_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SignerKey(KEY.name, bytes(32), COSIGNATURE)
    log = Log(9)
    line = str(sign(log.head.text, other).signatures[0])
    Fake(monkeypatch, Answer(200, line.encode()))
    with pytest.raises(WitnessUnavailable, match="no signature of a known key"):
        ask("http://w.example", log)


def test_a_new_key_is_made_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "new"
    assert main(["--new-key", "witness.example/w2", "--key", str(path)]) == 0
    public = capsys.readouterr().out
    assert f"{SignerKey.parse(path.read_text().strip()).verifier}\n" == public
    assert path.stat().st_mode & 0o077 == 0
    assert main(["--new-key", "witness.example/w2", "--key", str(path)]) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--log", str(LOG.verifier), "--state", "nowhere"], "No such file"),
        (["--log", str(KEY.verifier)], "is no log's key"),
        (["--log", "x"], "no key of a kind"),
        ([], "no --log is named"),
    ],
)
def test_it_does_not_run_on_what_cannot_be(
    arguments: list[str], error: str, folder: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["--key", str(folder / "key"), *arguments]) == 1
    assert error in capsys.readouterr().err


def test_its_state_is_plain_to_read(folder: Path) -> None:
    with running(folder) as (url, _):
        ask(url, Log(3))
    assert json.loads((folder / "state").read_text())[LOG.name]["size"] == 3
