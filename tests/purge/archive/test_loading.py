"""Rows come back from an archive: never over others, told to the ledger, held until released."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

import lifecycle
from lifecycle.models import Event
from purge.archive.loading.load import chunks
from purge.archive.manifest import Manifest
from purge.runner import run_due
from tests.purge.archive.making import PREFIX, columns_of, made, rows_of
from tests.support import LONG_AGO, kinds
from tests.zoo.models import Client, Coupon, Line, Order, Ticket, Token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.LIFECYCLE_ARCHIVE_DIR = tmp_path
    (tmp_path / PREFIX).mkdir()
    return tmp_path


def load(capsys: pytest.CaptureFixture[str], manifest: Manifest | str, *options: str) -> str:
    name = manifest if isinstance(manifest, str) else manifest.name
    call_command("archive", "load", name, "--prefix", PREFIX, "--actor", "jo", *options)
    return capsys.readouterr().out


def tokens(count: int = 3) -> list[Token]:
    past = timezone.now() - LONG_AGO
    return Token.objects.bulk_create(Token(label=f"t{n}", expires_at=past) for n in range(count))


def everything(model: Any) -> list[Any]:
    return rows_of(model._meta.db_table, columns_of(model._meta.db_table), model._meta.pk.column)


def sql(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "json", "parquet"])
def test_rows_are_back_as_they_were_and_end_only_when_released(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens()
    before, manifest = everything(Token), made(folder, Token, [form])
    run_due()
    assert not Token.objects.exists()
    out = load(capsys, manifest)
    assert out.splitlines() == [
        "3 of 3 rows loaded into zoo.Token.",
        "They are held. To let them end: "
        f"`manage.py lifecycle release --reference {manifest.name}`",
    ]
    assert everything(Token) == before
    told = Event.objects.filter(kind="loaded", detail__archive=manifest.name)
    assert {(event.policy, event.actor, event.count) for event in told} == {
        ("tokens", "jo", 3),
        ("tokens-short", "jo", 3),
    }
    run_due()
    assert Token.objects.count() == 3
    call_command("lifecycle", "release", "--reference", manifest.name)
    run_due()
    assert not Token.objects.exists()
    assert kinds(kind="purged", policy="tokens") == ["purged", "purged"]


@pytest.mark.django_db(transaction=True)
def test_a_newer_row_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = tokens()[1]
    manifest = made(folder, Token)
    Token.objects.filter(pk=second.pk).update(label="newer", expires_at=None)
    Token.objects.exclude(pk=second.pk).delete()
    out = load(capsys, manifest)
    assert "2 of 3 rows loaded into zoo.Token." in out
    assert "A row with the same key is there, and was left as it is: 1." in out
    assert f"Not loaded: {second.pk}." in out
    assert Token.objects.get(pk=second.pk).label == "newer"
    assert {h.rows for h in lifecycle.holds()} == {2}
    # And once more: nothing is left to do, nothing is said twice.
    events = Event.objects.count()
    assert "0 of 3 rows loaded" in load(capsys, manifest)
    assert Event.objects.count() == events


def test_a_unique_value_in_use_leaves_its_row_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = tokens()[1]
    manifest = made(folder, Token)
    Token.objects.all().delete()
    sql("CREATE UNIQUE INDEX one_label ON zoo_token (label)")
    try:
        Token.objects.create(pk=second.pk + 1000, label="t1")
        out = load(capsys, manifest)
    finally:
        sql("DROP INDEX one_label")
    assert "Another row has a value that only one may have: 1." in out
    assert f"Not loaded: {second.pk}." in out


def test_only_what_matches_every_filter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tokens()
    manifest = made(folder, Token)
    Token.objects.all().delete()
    out = load(capsys, manifest, "--filter", "label=t1", "--filter", f"id={rows[1].pk}")
    assert "1 of 1 rows loaded" in out
    assert Token.objects.get().label == "t1"
    for wrong, why in (
        ("label=t9", "No row of .* matches"),
        ("labl=t1", "There is no column 'labl'"),
        ("id=one", "'one' is no value to find in id"),
        ("label", "is written as column=value"),
    ):
        with pytest.raises(CommandError, match=why):
            load(capsys, manifest, "--filter", wrong)


def test_a_dry_run_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens()
    manifest = made(folder, Token)
    Token.objects.all().delete()
    events, keys = Event.objects.count(), sql("SELECT last_value FROM zoo_token_id_seq")
    assert load(capsys, manifest, "--dry-run") == (
        "Dry run, nothing was changed: 3 of 3 rows loaded into zoo.Token.\n"
    )
    assert not Token.objects.exists()
    assert Event.objects.count() == events
    assert sql("SELECT last_value FROM zoo_token_id_seq") == keys


def test_keys_are_not_handed_out_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    highest = tokens()[-1].pk
    manifest = made(folder, Token)
    Token.objects.all().delete()
    sql("SELECT setval('zoo_token_id_seq', 1, false)")  # another database, fresh
    load(capsys, manifest, "--dry-run")
    assert sql("SELECT is_called FROM zoo_token_id_seq") == [(False,)]
    load(capsys, manifest)
    assert Token.objects.create().pk > highest
    ahead = Token.objects.create().pk
    load(capsys, manifest)  # a sequence is never set back
    assert Token.objects.create().pk == ahead + 1


@pytest.mark.parametrize("model", [Ticket, Coupon])
def test_keys_of_other_types(model: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    past = timezone.now() - LONG_AGO
    model.objects.create(**({"code": "A%b 1"} if model is Coupon else {}), expires_at=past)
    before, manifest = everything(model), made(folder, model)
    model.objects.all().delete()
    load(capsys, manifest)
    assert everything(model) == before
    run_due()
    assert model.objects.exists()


def test_into_a_table_beside_the_ledger(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens()
    manifest, events = made(folder, Token), Event.objects.count()
    try:
        for count in (3, 0):  # made by the first, found by the second
            out = load(capsys, manifest, "--into", "looked_at")
            assert f"{count} of 3 rows loaded into looked_at." in out
        same = "SELECT count(*) FROM looked_at NATURAL JOIN zoo_token"
        assert sql(same) == [(3,)]
    finally:
        sql("DROP TABLE looked_at")
    assert Event.objects.count() == events
    assert not lifecycle.holds()
    with pytest.raises(CommandError, match="is a table of the site"):
        load(capsys, manifest, "--into", "zoo_ticket")


def test_into_a_table_whose_rows_would_double(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = made(folder, Token)
    sql("CREATE TABLE looked_at AS TABLE zoo_token")
    try:
        with pytest.raises(CommandError, match="has no unique key on id"):
            load(capsys, manifest, "--into", "looked_at")
    finally:
        sql("DROP TABLE looked_at")


def test_columns_that_have_come_and_gone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens()
    sql("ALTER TABLE zoo_token ADD old text DEFAULT 'x'")
    try:
        manifest = made(folder, Token)
    finally:
        sql("ALTER TABLE zoo_token DROP old")
    Token.objects.all().delete()
    sql("ALTER TABLE zoo_token ADD fresh integer DEFAULT 7")
    try:
        out = load(capsys, manifest)
        assert "zoo_token has no column old any more: its values are left out." in out
        assert "fresh is new in zoo_token: it gets its default, or NULL." in out
        assert sql("SELECT DISTINCT fresh FROM zoo_token") == [(7,)]
        Token.objects.all().delete()
        sql("ALTER TABLE zoo_token ALTER fresh SET NOT NULL, ALTER fresh DROP DEFAULT")
        events = Event.objects.count()
        with pytest.raises(CommandError, match="need a value for fresh"):
            load(capsys, manifest)
        assert Event.objects.count() == events
    finally:
        sql("ALTER TABLE zoo_token DROP fresh")


def test_a_parent_that_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = Order.objects.create()
    Line.objects.create(order=order)
    manifest = made(folder, Line)
    order.delete()
    with pytest.raises(CommandError, match="violates foreign key constraint"):
        load(capsys, manifest)
    assert not Line.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_load_that_is_interrupted_goes_on_when_it_is_run_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tokens(7)
    before, manifest = everything(Token), made(folder, Token)
    run_due()
    monkeypatch.setattr("purge.archive.loading.load.CHUNK", 3)
    last = rows[-1].pk
    sql(f"ALTER TABLE zoo_token ADD CONSTRAINT refuses CHECK (id <> {last})")
    try:
        with pytest.raises(
            CommandError, match=r"constraint \"refuses\".* 6 rows were loaded before"
        ):
            load(capsys, manifest)
    finally:
        sql("ALTER TABLE zoo_token DROP CONSTRAINT refuses")
    # What is there is held: each batch is whole.
    assert Token.objects.count() == sum(each.rows for each in lifecycle.holds()) == 6
    run_due()
    assert Token.objects.count() == 6
    assert "1 of 7 rows loaded" in load(capsys, manifest)
    assert everything(Token) == before
    assert sum(each.rows for each in lifecycle.holds()) == 7


def test_a_file_that_has_changed_brings_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens()
    manifest = made(folder, Token)
    Token.objects.all().delete()
    path = folder / manifest.files[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CommandError, match="is not as its manifest says: nothing was loaded"):
        load(capsys, manifest)
    assert not Token.objects.exists()


def test_files_are_not_in_the_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Client.objects.create(picture="a.png")
    Client.objects.create()
    manifest = made(folder, Client)
    Client.objects.all().delete()
    assert "Rows that name files, which are not in the archive: 1." in load(capsys, manifest)


def test_what_cannot_be_loaded_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(folder, Token, ["txt"], name="only_text")
    made(folder, Token, model="zoo.gone", name="no_model")
    with pytest.raises(CommandError, match="has no file for programs"):
        load(capsys, "only_text")
    with pytest.raises(CommandError, match="There is no database 'elsewhere'"):
        load(capsys, made(folder, Token), "--database", "elsewhere")
    with pytest.raises(CommandError, match=r"There is no model zoo\.gone here: load --into"):
        load(capsys, "no_model")
    with pytest.raises(
        CommandError, match=r"There is no archive 'only_txt'.*Did you mean 'only_text'"
    ):
        load(capsys, "only_txt")


def test_a_type_of_a_manifest_is_a_type(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = made(folder, Token)
    path = folder / PREFIX / f"{manifest.name}.manifest.json"
    for evil in ("text); DROP TABLE zoo_line; --", "text -- ", "text DEFAULT 7", "gone"):
        path.write_text(manifest.as_json().replace("timestamp with time zone", evil))
        with pytest.raises(CommandError, match="There is no type"):
            load(capsys, manifest, "--into", "looked_at", "--untrusted")


def test_wide_rows_come_in_smaller_batches() -> None:
    wide = ("x" * 6 * 2**20, None)
    assert [len(chunk) for chunk in chunks(iter([wide] * 4))] == [3, 1]
    assert [len(chunk) for chunk in chunks(iter([("1", "2")] * 10_001))] == [10_000, 1]
    assert list(chunks(iter([]))) == []


#: what a BEFORE INSERT trigger makes of a row, the columns that are told, and how many rows come
CHANGES = {
    "nothing": ("NULL", "", 3),
    "one column": ("NEW.label := NEW.label || '!'", "3, in label", 3),
    "of some rows": ("IF NEW.label = 't1' THEN NEW.active := false; END IF", "1, in active", 3),
    "several": ("NEW.label := 'x'; NEW.expires_at := NULL", "3, in expires_at, label", 3),
    "to nothing": ("NEW.label := ''", "3, in label", 3),
    "its key": ("NEW.id := NEW.id + 100000", "3, in id", 3),
    "lets none in": ("RETURN NULL", "", 0),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_trigger_changes_is_told(
    change: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statements, words, came = CHANGES[change]
    tokens()
    manifest = made(folder, Token)
    run_due()
    sql(
        "CREATE FUNCTION changing() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {statements}; RETURN NEW; END $$; CREATE TRIGGER changing"
        " BEFORE INSERT ON zoo_token FOR EACH ROW EXECUTE FUNCTION changing()"
    )
    try:
        out = load(capsys, manifest)
        assert f"{came} of 3 rows loaded" in out
        assert ("A trigger of the table has changed" in out) is bool(words)
        assert words in out
        assert ("a trigger of the table keeps them out" in out) is (not came)
        assert Token.objects.count() == came
    finally:
        sql("DROP TRIGGER changing ON zoo_token; DROP FUNCTION changing()")
