"""What is wrong with the setting is said by a check, without any secret."""

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from lifecycle.checks.settings import reads_settings
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import why_stopped
from purge.checks import check_proof
from purge.proof.options import proof_options
from tests.purge.proof.support import KEY, ORIGIN, PROOF, SIGNER


def told(
    tmp_path: Path,
    settings: dict[str, Any] | None = None,
    **changes: Any,
) -> list[tuple[str | None, str]]:
    here = {"LIFECYCLE_ARCHIVE_DIR": str(tmp_path), "LIFECYCLE_BACKUP_MAX_AGE": 86_400}
    with override_settings(LIFECYCLE_PROOF=PROOF | changes, **(here | (settings or {}))):
        return [(message.id, str(message.msg)) for message in check_proof()]


def test_off_and_right(tmp_path: Path) -> None:
    assert told(tmp_path) == []
    with override_settings(LIFECYCLE_PROOF=None):
        assert check_proof() == []
        assert proof_options() is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"origin": "Not an origin"}, "no origin"),
        ({"prefix": "../proof/"}, "prefix"),
        ({"prefix": "proof"}, "prefix"),
        ({"signing_key": "/nowhere/key"}, "cannot be read from /nowhere/key: FileNotFoundError"),
        ({"signing_key": "env:NOT_SET"}, "cannot be read from env:NOT_SET: KeyError"),
        ({"signing_key": lambda: f"secret {KEY}"}, "--new-key"),
        ({"key": lambda: "c2VjcmV0"}, "32 random bytes"),
        ({"key": 7}, "cannot be read"),
        ({"altered": "perhaps"}, "`halt` or `report`"),
    ],
)
def test_what_is_wrong(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    ((number, message),) = told(tmp_path, **changes)
    assert number == "purge.E006"
    assert text in message
    assert KEY not in message
    assert "secret" not in message


def test_nothing_ends_with_a_wrong_setting(tmp_path: Path, db: None) -> None:
    wrong = PROOF | {"origin": "!"}
    with override_settings(LIFECYCLE_PROOF=wrong, LIFECYCLE_ARCHIVE_DIR=str(tmp_path)):
        assert "no origin" in why_stopped(get_policy("tokens"))


def test_events_that_are_not_encrypted(tmp_path: Path) -> None:
    assert [number for number, _ in told(tmp_path, key=None)] == ["purge.W007"]


def test_nobody_says_how_long_backups_are_kept(tmp_path: Path) -> None:
    assert told(tmp_path, {"LIFECYCLE_BACKUP_MAX_AGE": None})[0][0] == "purge.W008"


def test_nowhere_to_put_it(tmp_path: Path) -> None:
    with override_settings(LIFECYCLE_PROOF=PROOF, LIFECYCLE_ARCHIVE_DIR=""):
        assert [message.id for message in check_proof()] == ["purge.E006"]


def test_from_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(SIGNER.secret_text() + "\n")
    monkeypatch.setenv("EVENTS_KEY", KEY)
    assert told(tmp_path, signing_key=str(tmp_path / "key"), key="env:EVENTS_KEY") == []
    with override_settings(LIFECYCLE_PROOF=PROOF):
        found = proof_options()
    assert found
    assert KEY not in repr(found)
    assert found.signer_of(3).name == f"{ORIGIN}/3"
    with override_settings(LIFECYCLE_PROOF=PROOF | {"prefix": "x"}), pytest.raises(LifecycleError):
        proof_options()


@pytest.mark.parametrize("value", [{"origin": "a"}, {**PROOF, "more": 1}, 7, "on"])
def test_other_forms_are_an_error(value: Any) -> None:
    with override_settings(LIFECYCLE_PROOF=value):
        assert [message.id for message in reads_settings()] == ["lifecycle.E033"]
