"""A certificate of what this database has ended: made, checked by a stranger, refused where not."""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

import purge
from lifecycle import certificate as stranger
from lifecycle import hold, release
from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from lifecycle.proof.certificate import Certificate
from lifecycle.proof.errors import ProofError
from lifecycle.proof.readable import readable
from lifecycle.proof.tlog_proof import TlogProof
from lifecycle.sealing import log as logs
from lifecycle.sealing.seal import seal_all
from purge.acting import certificate, verify_log
from purge.certificates import prove
from purge.certificates.make import certify
from purge.certificates.prove import NotPublished, Prover
from purge.certificates.story import of_reference, of_row, of_run
from purge.proof.ship import Altered
from tests.commands.documented import assert_documented
from tests.infra.servers import ROOT
from tests.purge.archive.engine import archiving, tokens
from tests.purge.proof.support import ORIGIN, SIGNER, USING, in_folder, options, publish
from tests.support import let_pass, make_due, run_until_idle
from tests.zoo.factories import PersonFactory
from tests.zoo.models import Call, Draft, Person, Photo, Token

pytestmark = pytest.mark.django_db(transaction=True)
LOG = f"{ORIGIN}/1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a site's log goes; the log is begun."""
    logs.open_log(USING, 1, LOG)
    with in_folder(tmp_path):
        yield tmp_path


def new_draft(**more: int) -> Draft:
    return Draft.objects.create(created_at=timezone.now(), **more)


def ended_draft() -> Draft:
    """A row that was tombstoned and purged by its policy, beside one that lives; its key stays."""
    draft, _ = new_draft(), new_draft()
    make_due(Draft.objects.filter(pk=draft.pk))
    run_until_idle()
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert Draft.objects.count() == 1
    return draft


def holds(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What a stranger reads, who has the file and the log's key."""
    capsys.readouterr()
    assert stranger.main([str(path), "--key", str(SIGNER.named(LOG).verifier), *more]) == 0
    return capsys.readouterr().out


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("lifecycle", "certificate", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_of_a_row_that_its_policy_has_purged(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_policy("drafts"), "basis", "Art. 5 (1) e GDPR")
    draft = ended_draft()
    publish()
    said = command(f"zoo.Draft:{draft.pk}", "--out", str(folder))
    (path,) = folder.glob("*.tlog-proof")
    assert holds(path, capsys) == said
    purged = Event.objects.get(kind="purged")
    assert f"event {purged.pk} (purged)" in said
    kinds = [each.said("kind") for each in Certificate.parse(path.read_bytes()).events]
    assert kinds[0] == "purged"
    assert {"tombstoned", "expiry_scheduled"} <= set(kinds)
    for line in (
        "Legal basis: Art. 5 (1) e GDPR", "policy: drafts", "had no row under its key",
        "none is in force", "Archives: none", "Backups: those made before",
        "Method: DELETE", "commitment: ",
    ):  # fmt: skip
        assert line in said
    assert f"row: zoo.draft:{draft.pk}" not in said
    assert Draft.objects.count() == 1


def test_a_process_with_the_public_key_alone_checks_and_signs_nothing(folder: Path) -> None:
    draft = ended_draft()
    publish()
    public = {"public": str(SIGNER.verifier)}
    with in_folder(folder, signing_key=public):
        assert verify_log(USING, True).problems == []
        with pytest.raises(
            LifecycleError, match=r"only the public key .* where the signing key is"
        ):
            certificate(Draft, str(draft.pk), USING)
        new_draft()
        with pytest.raises(ProofError, match="only the public key"):
            publish()
    assert certificate(Draft, str(draft.pk), USING)[1]


def test_opened_it_names_the_row_and_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [new_draft() for _ in range(5)]
    make_due(Draft.objects.all())
    run_until_idle()
    let_pass(timedelta(hours=2))
    run_until_idle()
    publish()
    command(f"zoo.Draft:{many[2].pk}", "--open", "--out", str(folder))
    (path,) = folder.glob("*.tlog-proof")
    said = holds(path, capsys)
    assert f"row: zoo.draft:{many[2].pk}\n" in said
    assert [f"row: zoo.draft:{each.pk}\n" in said for each in many].count(True) == 1
    assert "rows: 5\n" in said
    closed = folder / "closed"
    holds(path, capsys, "--closed", str(closed))
    assert "row: zoo.draft" not in holds(closed, capsys)


def test_of_an_erasure_by_its_reference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person = PersonFactory()
    Photo.objects.create(person=person, file="a.jpg")
    Call.objects.create(person=person)
    purge.erase(person, reference="DSR-12", grace=timedelta(0), actor="ann")
    publish()
    command("--reference", "DSR-12", "--out", str(folder))
    (path,) = folder.glob("*.tlog-proof")
    said = holds(path, capsys)
    assert "actor: ann" in said
    assert "a.jpg" not in said
    assert b"a.jpg" not in (TlogProof.parse(path.read_bytes()).extra or b"")
    command("--reference", "DSR-12", "--open", "--out", str(folder))
    said = holds(path, capsys)
    assert "a.jpg" in said
    assert f"row: zoo.person:{person.pk}" in said
    assert "files to be deleted" in said
    assert '"reference": "DSR-12"' in said
    assert not Person.objects.exists()


def typed_in(guide: str) -> list[list[str]]:
    """The commands that the guide types, as words."""
    return [line.split()[1:] for line in guide.splitlines() if line.startswith("$ ")]


def test_the_guide_can_be_followed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    guide = (ROOT / "docs/how-to/prove-a-deletion.md").read_text()
    person = PersonFactory()
    purge.erase(person, reference="DSR-12", grace=timedelta(0), actor="jo")
    publish()
    (folder / "ledger.pub").write_text(f"{SIGNER.named(LOG).verifier}\n")
    run = Event.objects.get(kind="purged").run
    given = {"/srv/certificates": str(folder), "shop.Customer:7": f"zoo.Person:{person.pk}"}
    said = []
    for words in typed_in(guide):
        words = [{"31": str(run)}.get(word, given.get(word, word)) for word in words]
        if words[1] == "manage.py":
            said.append(command(*words[4:]))
            (path,) = folder.glob("example*.tlog-proof")
        elif "--witness" not in words:  # of which tests/witness has more
            path.replace("customer.tlog-proof")
            assert stranger.main(words[3:]) == 0
            path.write_bytes((folder / "customer.tlog-proof").read_bytes())
    assert len(said) == 4
    shown = guide.partition("```text\n")[2].partition("```")[0]
    titles = {line.partition(":")[0] for line in shown.splitlines() if ": " in line}
    titles = {title for title in titles if not title.lstrip()[:1].isdigit()}
    assert titles <= {line.partition(":")[0] for line in said[0].splitlines()}


def test_of_a_run_it_shows_no_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended_draft()
    publish()
    run = Event.objects.get(kind="purged").run
    said = command("--run", str(run), "--json", "--out", str(folder))
    assert_documented("lifecycle certificate", json.loads(said))
    (path,) = folder.glob("*.tlog-proof")
    assert f"run: {run}" in holds(path, capsys)
    parts = [part for event in json.loads(said)["events"] for part in event["parts"]]
    assert all(part.get("fields", ["detail"])[0] != "subject" for part in parts)
    with pytest.raises(LifecycleError, match="has ended nothing"):
        of_run(run + 1_000, USING)


@pytest.mark.plants(6, 7)
def test_it_holds_after_the_ledger_was_emptied(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = ended_draft()
    publish()
    command(f"zoo.Draft:{draft.pk}", "--open", "--out", str(folder))
    (path,) = folder.glob("*.tlog-proof")
    said = holds(path, capsys)
    fetch(USING, "SET session_replication_role = replica")
    fetch(USING, "DELETE FROM lifecycle_event")
    fetch(USING, "RESET session_replication_role")
    assert holds(path, capsys) == said


@pytest.mark.plants(1, 7)
def test_an_event_that_left_the_table_is_read_of_the_store(folder: Path) -> None:
    ended_draft()
    publish()
    event = Event.objects.get(kind="tombstoned").pk
    prover = Prover.of_events([event], USING, options())
    before = prover.prove(event, lambda _: True)
    fetch(USING, "SET session_replication_role = replica")
    fetch(USING, "DELETE FROM lifecycle_event WHERE id = %s", [event])
    fetch(USING, "RESET session_replication_role")
    assert prover.prove(event, lambda _: True) == before


def test_what_was_altered_is_not_certified(folder: Path) -> None:
    draft = ended_draft()
    publish()
    story = of_row(Draft, str(draft.pk), USING)
    fetch(USING, "SET session_replication_role = replica")
    text = "UPDATE lifecycle_event SET actor = 'somebody else' WHERE id = %s"
    fetch(USING, text, [story.ending.pk])
    fetch(USING, "RESET session_replication_role")
    with pytest.raises(Altered):
        certify(story, USING)


def test_a_store_that_was_changed_certifies_nothing(folder: Path) -> None:
    draft = ended_draft()
    publish()
    for tile in folder.glob(f"proof/{LOG}/tile/0/**/*"):
        if tile.is_file():
            tile.write_bytes(bytes(len(tile.read_bytes())))
    with pytest.raises(ValueError, match="add up to another root"):
        certify(of_row(Draft, str(draft.pk), USING), USING)


def test_what_is_not_published_yet_is_not_certified(folder: Path) -> None:
    draft = ended_draft()
    story = of_row(Draft, str(draft.pk), USING)
    with pytest.raises(NotPublished, match="is not sealed yet"):
        certify(story, USING)
    seal_all(USING)
    with pytest.raises(NotPublished, match="There is no checkpoint yet"):
        certify(story, USING)


def test_a_forgotten_salt_opens_nothing(folder: Path) -> None:
    draft = ended_draft()
    publish()
    fetch(
        USING, "UPDATE lifecycle_seal SET salts = decode(repeat('00', octet_length(salts)), 'hex')"
    )
    with pytest.raises(LifecycleError, match="is forgotten"):
        certify(of_row(Draft, str(draft.pk), USING), USING)


def test_a_row_that_has_not_ended_is_refused(folder: Path) -> None:
    draft = new_draft()
    with pytest.raises(LifecycleError, match="has not ended"):
        of_row(Draft, str(draft.pk), USING)
    hold(draft, reason="a case")
    with pytest.raises(LifecycleError, match="has not ended"):
        of_row(Draft, str(draft.pk), USING)
    release(draft)


def test_a_row_that_is_there_again_is_refused(folder: Path) -> None:
    draft = ended_draft()
    publish()
    new_draft(pk=draft.pk)
    with pytest.raises(LifecycleError, match="is there under its key"):
        of_row(Draft, str(draft.pk), USING)


def test_an_erasure_that_waits_is_refused(folder: Path) -> None:
    person = PersonFactory()
    purge.erase(person, reference="DSR-13", grace=timedelta(minutes=30), actor="ann")
    with pytest.raises(LifecycleError, match="has not ended: it is tombstoned"):
        of_reference("DSR-13", USING)


def test_without_a_log_nothing_is_certified() -> None:
    draft = ended_draft()
    with pytest.raises(LifecycleError, match="LIFECYCLE_PROOF is off"):
        certify(of_row(Draft, str(draft.pk), USING), USING)


@pytest.mark.parametrize(
    "arguments", [[], ["zoo.Draft:1", "--run", "3"], ["--reference", "none"], ["zoo.Draft"]]
)
def test_what_is_asked_wrongly_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        command(*arguments)


def test_what_another_log_has_is_left_out_and_that_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = ended_draft()
    publish()
    other = Event.objects.get(kind="tombstoned").pk
    found = prove.index_of
    monkeypatch.setattr(
        prove, "index_of", lambda using, event: (9, 0) if event == other else found(using, event)
    )
    told = readable(certify(of_row(Draft, str(draft.pk), USING), USING))
    assert f"Left out: events that this log cannot prove: {other}\n" in told
    assert "tombstoned" not in told.partition("Said by the site")[0]
    assert "deleted by the policy" in told


def line_of(said: str, title: str) -> str:
    (found,) = re.findall(rf"^  {title}: (.*)$", said, re.MULTILINE)
    return found


def test_what_it_says_of_copies_holds_and_people(folder: Path) -> None:
    policy_states.pause("drafts", actor="pat", using=USING)
    policy_states.resume("drafts", actor="jo", using=USING)
    held = new_draft()
    hold(held, reason="lawsuit")
    release(held)
    make_due(Draft.objects.all())
    run_until_idle()
    let_pass(timedelta(hours=2))
    run_until_idle()
    publish()
    said = readable(certify(of_row(Draft, str(held.pk), USING), USING))
    placed, let_go = (Event.objects.get(kind=k) for k in ("hold_placed", "hold_released"))
    assert f"in its life {placed.pk}, released by {let_go.pk}" in line_of(said, "Holds")
    assert line_of(said, "Approved by").startswith("jo, by event")
    assert line_of(said, "Asked for by") == "nobody: the policy's own time"
    assert line_of(said, "Copies that acknowledged").startswith("none known")
    assert line_of(said, "Files") == "none is known of this row"


def test_an_archive_that_still_has_the_row(folder: Path) -> None:
    tokens(1)
    token = Token.objects.get()
    with archiving("tokens"):
        run_until_idle()
        publish()
        said = certify(of_row(Token, str(token.pk), USING), USING)
        archive = Event.objects.get(kind="archived").detail["archive"]
        remains = line_of(readable(said), "Archives")
        assert remains.startswith(f"{archive}: a copy remains, until somebody deletes it")
        for path in folder.rglob(f"{archive}*"):
            path.unlink()
        gone = readable(certify(of_row(Token, str(token.pk), USING), USING))
    assert line_of(gone, "Archives").startswith(f"{archive}: nothing of it was there at")
