"""Published heads are cosigned beside the checkpoint, and what a witness refuses is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import open_checkpoint
from lifecycle.proof.readable import readable
from lifecycle.sealing import log as logs
from lifecycle.sealing.log import read_log
from lifecycle.witness import state
from lifecycle.witness.state import State
from purge.certificates.make import certify
from purge.certificates.story import of_row
from purge.proof import gate, work
from purge.proof.ship import store_of
from purge.proof.witnesses import COSIGNED, Asked, ask_witnesses
from purge.proof.work import publish_now
from tests.lifecycle.sealing.support import write
from tests.purge.certificates.test_certificates import ended_draft
from tests.purge.proof.support import (
    LOG,
    ORIGIN,
    USING,
    WITNESS,
    a_due_row,
    in_folder,
    it_ends,
    nothing_ends,
    options,
    publish,
    read_head,
)
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, witness: str) -> Iterator[Path]:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path, witnesses={witness: str(WITNESS.verifier)}):
        yield tmp_path


def ask() -> Asked:
    log = read_log(USING)
    assert log
    return ask_witnesses(options(), log)


def cosigned_size() -> int:
    log = read_log(USING)
    assert log
    data = store_of(options(), log).read(COSIGNED)
    assert data
    return open_checkpoint(data, [LOG], [WITNESS.verifier], quorum=1).checkpoint.size


def test_each_head_is_cosigned_once(folder: Path) -> None:
    assert ask() == Asked()  # nothing is published yet
    for count in (3, 300):
        write(count)
        publish()
        assert ask() == Asked(signed=[WITNESS.name])
        assert cosigned_size() == read_head().size
        before = (folder / "proof" / LOG.name / COSIGNED).read_bytes()
        assert ask() == Asked(signed=[WITNESS.name])
        assert (folder / "proof" / LOG.name / COSIGNED).read_bytes() == before


def test_a_certificate_has_the_cosignature(folder: Path) -> None:
    draft = ended_draft()
    publish()
    assert "were asked about: none" in readable(certify(of_row(Draft, str(draft.pk), USING), USING))
    ask()
    write(5)
    publish()  # a later head, which nobody has cosigned yet
    checked = certify(of_row(Draft, str(draft.pk), USING), USING)
    assert checked.signed.witnesses == {WITNESS.name}
    assert checked.signed.checkpoint.size == cosigned_size() < read_head().size


def rewritten(folder: Path) -> None:
    """The store and the log are begun anew by somebody who has the key."""
    fetch(USING, "TRUNCATE lifecycle_log, lifecycle_seal")
    (folder / "proof").rename(folder / "before")
    logs.open_log(USING, 1, f"{ORIGIN}/1")


def test_a_log_that_was_rewound_or_rewritten_is_refused(folder: Path) -> None:
    write(40)
    publish()
    ask()
    size = read_head().size
    rewritten(folder)
    publish()
    found = ask()
    assert read_head().size == size
    assert [each.state for each in found.refusals] == ["forked"]
    assert found.signed == []
    rewritten_again = folder / "again"
    rewritten_again.mkdir()
    (folder / "before").rename(rewritten_again / "before")
    write(100)
    publish()
    assert [each.state for each in ask().refusals] == ["forked"]


def test_a_log_that_is_shorter_is_refused(folder: Path) -> None:
    write(40)
    publish()
    early = {
        path.relative_to(folder): path.read_bytes()
        for path in (folder / "proof").rglob("*")
        if path.is_file()
    }
    write(10)
    publish()
    assert ask().signed
    for path in (folder / "proof").rglob("*"):
        if path.is_file():
            path.unlink()
    for path, data in early.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (refusal,) = ask().refusals
    assert (refusal.witness, refusal.state) == (WITNESS.name, "restored")
    assert "has signed" in refusal.text


def test_a_witness_that_is_away_is_no_alarm(tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path, witnesses={"http://127.0.0.1:1": str(WITNESS.verifier)}):
        write(3)
        publish()
        found = ask()
    assert (found.signed, found.refusals, [*found.silent]) == ([], [], [WITNESS.name])


def test_what_a_witness_refuses_ends_nothing_until_it_signs(
    folder: Path,
    remembered: State,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ledger and store were put back together: neither of them tells, the witness does."""
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(work, "_publishers", {})
    monkeypatch.setattr(gate, "TRUSTED", 0.0)
    monkeypatch.setattr(gate, "SOON", 0.0)
    write(40)
    publish_now(USING)
    assert cosigned_size() == read_head().size
    rewritten(folder)
    publish_now(USING)
    for _ in range(2):
        publish_now(USING)  # it stays
        log = read_log(USING)
        assert log
        assert (log.alarm["kind"], log.alarm["witness"]) == ("forked", WITNESS.name)
        nothing_ends(a_due_row())
    assert "proof_alarm" in [getattr(each, "action", "") for each in caplog.records]
    remembered.put(LOG.name, state.NOTHING)  # who runs the witness accepts the new history
    publish_now(USING)
    log = read_log(USING)
    assert log
    assert log.alarm == {}
    assert cosigned_size() == read_head().size
    it_ends(a_due_row())


@pytest.mark.parametrize("noise", [b"noise", b""], ids=["noise", "empty"])
def test_what_somebody_has_put_in_its_place_is_replaced(noise: bytes, folder: Path) -> None:
    write(3)
    publish()
    (folder / "proof" / LOG.name / COSIGNED).write_bytes(noise)
    assert ask().signed
    assert cosigned_size() == read_head().size


@pytest.mark.parametrize("key", ["x", str(LOG), ""], ids=["none", "a log", "empty"])
def test_what_is_no_witness_is_refused(key: Any, tmp_path: Path) -> None:
    with (
        in_folder(tmp_path, witnesses={"https://w.example": key}),
        pytest.raises(LifecycleError, match=r"no witness's key for https://w\.example"),
    ):
        options()
