"""Each environment variable: what it accepts, and the one line a wrong value answers with."""

import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from demo import environment, storages

SECRET = "s" * 40


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.EXAMPLES:
        monkeypatch.delenv(name, raising=False)


def secret(debug: bool = True) -> str:
    return environment.secret_key(debug, Path("/nowhere"))


WRONG: list[tuple[str, str, Callable[[], Any], str]] = [
    ("DEBUG", "perhaps", lambda: environment.flag("DEBUG", True), "neither true nor false"),
    ("DJANGO_SECRET_KEY", "short", secret, "shorter than 32"),
    ("ALLOWED_HOSTS", "https://a.com", lambda: environment.allowed_hosts(True), "names only"),
    ("ALLOWED_HOSTS", "a.com:80", lambda: environment.allowed_hosts(True), "no port"),
    ("ALLOWED_HOSTS", "a.com,,b.com", lambda: environment.allowed_hosts(True), "empty part"),
    ("CSRF_TRUSTED_ORIGINS", "a.com", environment.trusted_origins, "needs http://"),
    ("CSRF_TRUSTED_ORIGINS", "https://", environment.trusted_origins, "needs http://"),
    ("CSRF_TRUSTED_ORIGINS", "https://a.com/", environment.trusted_origins, "no path"),
    ("DATABASE_URL", "mysql://u:hidden@h/n", environment.database, "only PostgreSQL"),
    ("REDIS_URL", "localhost:6379", environment.redis_url, "not an address"),
    ("REDIS_URL", "redis://", environment.redis_url, "not an address"),
    ("REDIS_URL", "redis://:hidden@h:port", environment.redis_url, "not an address"),
    ("REDIS_URL", "unix://", environment.redis_url, "not an address"),
    ("DEFAULT_FROM_EMAIL", "nobody", environment.from_email, "not a mail address"),
    ("DEFAULT_FROM_EMAIL", "a@b.com\nBcc: c", environment.from_email, "not a mail address"),
    ("HEALTH_REPORT_TO", "jo", environment.report_to, "no mail address"),
    ("HEALTH_REPORT_TO", "jo@a.com,,", environment.report_to, "empty part"),
    ("DEMO_ARCHIVE_DIR", "archives", lambda: environment.archive_dir(Path("/a")), "from the root"),
    ("METRICS_TOKEN", "hidden", environment.metrics_token, "shorter than 16 characters"),
    ("ANYMAIL_WEBHOOK_SECRET", "hidden", environment.webhook_secret, "a name and a password"),
]
WRONG += [
    ("AWS_STORAGE_BUCKET_NAME", "a/b", storages.bucket_name, "not the name of a bucket"),
    ("AWS_S3_ENDPOINT_URL", "s3.example.com", storages.endpoint, "not an address"),
    ("AWS_S3_ENDPOINT_URL", "https://key:hidden@h", storages.endpoint, "not an address"),
    ("CLOUDFLARE_ACCOUNT_ID", "a/b", storages.account, "not the id of an account"),
]
WRONG += [
    (name, "a hidden", partial(environment.word, name), "has a blank")
    for name in environment.EXAMPLES
    if name.startswith("AWS_SES_")
]
WRONG += [
    (name, "-1" if "_GRACE_" in name else "0", partial(environment.age, name), "whole number")
    for name in environment.AGES
]
READERS = {name: read for name, _, read, _ in WRONG}


@pytest.mark.parametrize(("name", "value", "read", "message"), WRONG)
def test_wrong_values(
    name: str,
    value: str,
    read: Callable[[], Any],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=message) as caught:
        read()
    text = str(caught.value)
    assert text.startswith(name)
    assert f"for example {name}=" in text
    assert "hidden" not in text
    assert len(text.splitlines()) == 1


def test_every_variable_has_a_wrong_value_in_the_table() -> None:
    assert READERS.keys() == environment.EXAMPLES.keys()


@pytest.mark.parametrize("name", environment.EXAMPLES)
@pytest.mark.parametrize("value", ["", "  "])
def test_empty_is_never_the_default(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is set but empty"):
        READERS[name]()


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"DEBUG", "DJANGO_SECRET_KEY"}))
def test_the_example_of_each_message_is_accepted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, environment.EXAMPLES[name])
    assert READERS[name]()


def test_the_mail_service_wants_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.mail_service() == {}
    monkeypatch.setenv("AWS_SES_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SES_REGION_NAME", "eu-west-1")
    with pytest.raises(ImproperlyConfigured, match=r"^AWS_SES_SECRET_ACCESS_KEY is required"):
        environment.mail_service()
    monkeypatch.setenv("AWS_SES_SECRET_ACCESS_KEY", "s")
    assert environment.mail_service()["region_name"] == "eu-west-1"


def test_without_debug_secret_and_hosts_are_required() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DJANGO_SECRET_KEY is required when DEBUG"):
        secret(debug=False)
    with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_HOSTS is required when DEBUG"):
        environment.allowed_hosts(debug=False)


@pytest.mark.parametrize("host", [".example.com", "*", "[::1]", "10.0.0.1", "localhost"])
def test_hosts(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", f" {host} , a.com")
    assert environment.allowed_hosts(False) == [host, "a.com"]


@pytest.mark.parametrize(("value", "meaning"), [("TRUE", True), ("off", False), (" 0 ", False)])
def test_flags(value: str, meaning: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert environment.flag("DEBUG", default=not meaning) is meaning


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = environment.secret_key(True, tmp_path / "data")
    assert len(first) >= 50
    assert environment.secret_key(True, tmp_path / "data") == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600


def test_a_given_secret_is_used_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY", SECRET)
    assert environment.secret_key(False, tmp_path / "data") == SECRET
    assert not (tmp_path / "data").exists()


def test_defaults() -> None:
    assert environment.database() is None
    assert environment.redis_url() == ""
    assert environment.allowed_hosts(debug=True) == []
    assert environment.trusted_origins() == []
    assert environment.from_email() == "webmaster@localhost"
