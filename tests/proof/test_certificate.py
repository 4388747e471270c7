"""A certificate holds offline, says only what it proves, and nothing that was forged holds."""

import base64
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import certificate as command
from lifecycle.proof.certificate import Certificate, Checked
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.errors import Malformed, ProofError, Unverified
from lifecycle.proof.keys import NOTE, SignerKey
from lifecycle.proof.note import Note, parse, sign
from lifecycle.proof.plain import dump
from lifecycle.proof.readable import readable
from lifecycle.proof.story import Part
from lifecycle.proof.tlog_proof import TlogProof
from tests.infra.servers import ROOT
from tests.proof import certificates
from tests.proof.certificates import LINES, LOG, ORIGIN, SIZE, WITNESS

GOOD = certificates.certificate()
DATA = GOOD.encode()
OTHER_KEY = SignerKey(ORIGIN, bytes(range(5, 37)))


def checked(data: bytes, *keys: SignerKey) -> Checked:
    log = [key.verifier for key in keys or (LOG,)]
    return Certificate.parse(data).verify(log, [WITNESS.verifier], quorum=1)


def test_it_says_what_it_proves() -> None:
    text = readable(checked(DATA))
    for said in (
        f"Certificate {ORIGIN}/11\n", "2023-11-14 22:13:20 UTC: deleted by the policy\n",
        "policy: old-orders", "row: shop.order:17\n", "actor: dpo@example.org", "rows: 2",
        'detail: {"cascade": {"shop.line": 3}}', "2023-11-14 22:13:20 UTC: tombstoned\n",
        "Legal basis: Art. 17 GDPR\n", "witness.example/w1", f"Log of {SIZE} events",
        'detail: {"fingerprint": "0123456789abcdef"}', "due: 2023-11-14 22:13:20 UTC",
    ):  # fmt: skip
        assert said in text
    assert "18" not in text.replace("2023", "")  # another row of the same event


def test_a_closed_one_proves_the_same_and_names_nobody() -> None:
    closed = GOOD.closed.encode()
    holds = checked(closed)
    assert holds.certificate.events[0].leaf_hash == GOOD.events[0].leaf_hash
    for name in ("dpo@example.org", "shop.order:17", '"17"', "request"):
        assert name not in readable(holds)
        assert name.encode() not in TlogProof.parse(closed).extra  # type: ignore[operator]
    # Who has the opening shows that a commitment is theirs.
    opened = next(each for each in GOOD.events[0].parts if each.fields[0] == "subject")
    commitments = [part.commitment for part in holds.certificate.events[0].parts]
    assert Part.opened(0, (), opened.blind or b"", opened.fields).commitment in commitments


def test_a_guess_opens_nothing() -> None:
    """All that is guessed of a subject, without its blind, gives another commitment."""
    opened = next(each for each in GOOD.events[0].parts if each.fields[0] == "subject")
    for blind in (bytes(32), b"", opened.blind[:-1] + b"\0"):  # type: ignore[index]
        assert Part.opened(0, (), blind, opened.fields).commitment != opened.commitment


def test_it_holds_by_itself_and_is_read_back() -> None:
    assert Certificate.parse(DATA) == GOOD
    assert checked(DATA).statement.lines == LINES


def replaced(path: list[str | int], value: Any) -> bytes:
    """The certificate with one thing of its extra changed, written as it has to be."""
    at = extra = json.loads(TlogProof.parse(DATA).extra or b"")
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    encoded = base64.b64encode(dump(extra).encode())
    return re.sub(rb"\nextra .*\n", b"\nextra " + encoded + b"\n", DATA, count=1)


def places(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], Any]]:
    """Everything in a JSON value that is no list or object; of a path, its two ends."""
    if isinstance(value, dict | list):
        steps = list(value.items() if isinstance(value, dict) else enumerate(value))
        if path and path[-1] == "path":
            steps = [steps[0], steps[-1]] if steps else []
        for step, inner in steps:
            yield from places(inner, [*path, step])
    else:
        yield path, value


EXTRA = json.loads(TlogProof.parse(DATA).extra or b"")
LEAVES = list(places(EXTRA, []))
CHANGES = st.sampled_from(("flip", "drop", "double", "cut", "insert"))


def others(value: Any) -> Iterator[Any]:
    """What could stand in a value's place."""
    yield from (None, "", 0, -1, 2**63, 1.5, True, [], {})
    if isinstance(value, str) and value:
        yield from (value[:-1], value + "\n", value.swapcase())
        yield chr(ord(value[0]) ^ 1) + value[1:]
    if isinstance(value, int):
        yield from (value + 1, value - 1, str(value))


def test_no_field_of_it_can_be_changed() -> None:
    """Each field, to each of a dozen other values: hundreds of forgeries."""
    tried = 0
    for path, value in LEAVES:
        for other in others(value):
            if other == value and type(other) is type(value):
                continue
            tried += 1
            with pytest.raises(ProofError):
                checked(replaced(path, other))
    assert tried > 700


@pytest.mark.parametrize("path", [["events", 0], ["events", 1], ["events", 0, "parts", 0]])
def test_nothing_can_be_added_or_taken_from_its_objects(path: list[str | int]) -> None:
    at: Any = EXTRA
    for step in path:
        at = at[step]
    for changed in (at | {"more": 1}, {key: at[key] for key in list(at)[1:]}, [at], None):
        with pytest.raises(ProofError):
            checked(replaced(path, changed))


def test_its_events_can_not_be_exchanged() -> None:
    events = EXTRA["events"]
    for changed in (
        events[:1], events[:-1], events[1:], events[::-1], [events[0], *events[:0:-1]],
        [*events, events[-1]], [], [events[0], events[0]],
    ):  # fmt: skip
        with pytest.raises(ProofError):
            checked(replaced(["events"], changed))


@given(st.integers(0, len(DATA) - 1), CHANGES, st.data())
def test_no_byte_of_it_can_be_changed(place: int, change: str, data: st.DataObject) -> None:
    byte = bytes([DATA[place] ^ data.draw(st.integers(1, 255))])
    forged = {
        "flip": DATA[:place] + byte + DATA[place + 1 :],
        "drop": DATA[:place] + DATA[place + 1 :],
        "double": DATA[: place + 1] + DATA[place:],
        "cut": DATA[:place],
        "insert": DATA[:place] + byte + DATA[place:],
    }[change]
    if forged != DATA:
        with pytest.raises(ProofError):
            checked(forged)


def test_another_key_is_refused() -> None:
    with pytest.raises(Unverified, match="no signature of a known key"):
        checked(DATA, OTHER_KEY)
    forged = Certificate.make(
        GOOD.events, sign(GOOD.checkpoint.text, OTHER_KEY, WITNESS), ORIGIN, LINES, OTHER_KEY
    )
    with pytest.raises(Unverified, match="no signature of a known key"):
        checked(forged.encode())


def test_another_log_and_another_size_are_refused() -> None:
    head = Checkpoint.parse(GOOD.checkpoint.text)
    for changed in (head._replace(size=SIZE + 1), head._replace(origin="example.org/lifecycle/2")):
        note = Note(changed.text, GOOD.checkpoint.signatures)
        with pytest.raises(ProofError):
            checked(GOOD._replace(checkpoint=note).encode())
    stale = sign(head._replace(size=200, root=bytes(32)).text, LOG, WITNESS)
    with pytest.raises(ProofError):
        checked(GOOD._replace(checkpoint=stale).encode())


def test_the_statement_of_another_certificate_is_refused() -> None:
    other = Certificate.make(GOOD.events[:2], GOOD.checkpoint, ORIGIN, LINES, LOG)
    with pytest.raises(Unverified, match="that of another certificate"):
        checked(GOOD._replace(statement=other.statement).encode())
    stranger = sign(GOOD.statement.text, LOG, OTHER_KEY)
    with pytest.raises(Unverified, match="a signature of a stranger"):
        checked(GOOD._replace(statement=stranger).encode())


def test_a_checkpoint_is_no_statement_and_a_statement_no_checkpoint() -> None:
    with pytest.raises(ProofError):
        checked(GOOD._replace(statement=GOOD.checkpoint).encode())
    with pytest.raises(Malformed):
        Checkpoint.parse(GOOD.statement.text)


def test_what_is_no_ending_is_no_certificate() -> None:
    events = GOOD.events[1:]
    none = Certificate.make(events, GOOD.checkpoint, ORIGIN, LINES, LOG)
    with pytest.raises(Unverified, match="'tombstoned' is no ending"):
        checked(none.encode())


def test_events_of_two_rows_are_no_certificate() -> None:
    tombstoned = certificates.shown(9, lambda part: part[:1] == ("subject",) and part[2] == "99")
    mixed = Certificate.make([GOOD.events[0], tombstoned], GOOD.checkpoint, ORIGIN, LINES, LOG)
    with pytest.raises(Unverified, match="about different rows"):
        checked(mixed.encode())


def test_what_others_read_of_it_is_a_tlog_proof() -> None:
    proof = TlogProof.parse(DATA)
    leaf = GOOD.events[0].leaf_hash
    assert proof.verify(leaf, [LOG.verifier], [WITNESS.verifier], 1).checkpoint.size == SIZE


def test_text_moves_no_terminals_cursor() -> None:
    sly = Certificate.make(
        GOOD.events, GOOD.checkpoint, ORIGIN, [("Basis", "a\x1b[2Jb\u202ec\nd")], LOG
    )
    text = readable(checked(sly.encode()))
    assert "Basis: a\\u001b[2Jb\\u202ec\\u000ad\n" in text


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The command as a stranger runs it: no Django in reach."""
    code = (
        "import sys; sys.modules['django'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "import runpy; runpy.run_module('lifecycle.certificate', run_name='__main__')"
    )
    line = [sys.executable, "-c", code, str(ROOT), *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "it.tlog-proof").write_bytes(DATA)
    (tmp_path / "log.key").write_text(f"# of the site\n{LOG.verifier}\n")
    return tmp_path


def test_the_command_checks_it_without_django(folder: Path) -> None:
    witness = ("--witness", str(WITNESS.verifier))
    done = run("it.tlog-proof", "--key", "log.key", *witness, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == readable(checked(DATA))
    done = run("it.tlog-proof", "--key", str(LOG.verifier), "--json", cwd=folder)
    assert json.loads(done.stdout)["number"] == f"{ORIGIN}/11"
    done = run("it.tlog-proof", "--key", str(OTHER_KEY.verifier), cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "It does not hold: no signature of a known key.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["nowhere", "--key", "log.key"], 2, "Not checked: "),
        (["it.tlog-proof", "--key", "nowhere"], 2, "Not checked: "),
        (["it.tlog-proof", "--key", "a+b"], 2, "Not checked: no key of a kind"),
        (["log.key", "--key", "log.key"], 1, "It does not hold: no tlog-proof of version 1."),
        (["it.tlog-proof", "--key", str(WITNESS.verifier)], 2, "Not checked: witness.example/w1"),
        (["it.tlog-proof", "--key", "log.key", "--quorum", "1"], 1, "It does not hold: cosigned"),
    ],
)
def test_what_could_not_be_checked_is_not_said_to_hold(
    arguments: list[str], code: int, error: str, folder: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(folder)
    assert command.main(arguments) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(error)


def test_a_closed_copy_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert command.main(["it.tlog-proof", "--key", "log.key", "--closed", "closed.tlog-proof"]) == 0
    assert (folder / "closed.tlog-proof").read_bytes() == GOOD.closed.encode()


def test_the_check_takes_less_than_100_ms(folder: Path) -> None:
    """Processor time beyond that of a Python that does nothing; the best of five."""

    def spent(*line: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *line], cwd=folder, check=True, capture_output=True,
                       env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    check = ("-m", "lifecycle.certificate", "it.tlog-proof", "--key", "log.key")
    taken = min(spent(*check) for _ in range(5)) - min(spent("-c", "pass") for _ in range(5))
    assert taken < 0.1


def test_keys_of_the_wrong_kind_sign_nothing() -> None:
    assert LOG.verifier.algorithm == NOTE
    assert parse(GOOD.checkpoint.encode()) == GOOD.checkpoint
