"""Three roles that own nothing: what they can do, and what they cannot."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings

from lifecycle.db.sql import function_file
from lifecycle.install import roles
from tests.demo.telling import url_of
from tests.infra.servers import until
from tests.security.owned import PATIENCE, Owned, owned_database

# A test of several processes outlasts the suite's limit on a machine that does much else.
pytestmark = pytest.mark.timeout(3 * PATIENCE)


@pytest.fixture(scope="module")
def owned(
    database_server: None, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Owned]:
    folder = tmp_path_factory.mktemp("owned")
    with owned_database(f"test_owned_{worker_id}", folder) as owned:
        grant(owned)
        yield owned


def grant(owned: Owned, *more: str, **other: str) -> str:
    names = owned.roles | other
    given = [part for kind in roles.FUNCTIONS for part in (f"--{kind}", names[kind])]
    return owned.manage("owner", "lifecycle", "grants", *given, *(more or ("--apply",)))


SITE = """
t = [Token.objects.create(expires_at=PAST) for _ in range(3)]
later = [Token.objects.create(expires_at=timezone.now() + timedelta(days=3)) for _ in range(3)]
assert Token.objects.live().count() == 3, Token.objects.live().count()
assert Token.objects.tombstoned().count() == 3
hold(t[0], reason="dispute", reference="A-1")
restore(t[1])
expire_now(later[0], policy="tokens")
assert expire_rows(Token.objects.filter(pk=later[1].pk), policy="tokens") == 1
assert Token.objects.live().count() == 3
Legacy.objects.create(expires_at=PAST)
legacy = Legacy.objects.create(expires_at=PAST, file="gone.txt")
legacy.delete()
Spark.objects.create(expires_at=PAST)
person = Person.objects.create()
print(json.dumps([row.pk for row in t + later] + [person.pk]))
"""
ADMIN = """
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
client = Client()
boss = {"email": "boss@example.com", "password": "x"}
client.force_login(get_user_model().objects.create_superuser("boss", **boss))
held = Token.objects.create(expires_at=timezone.now() + timedelta(days=3))
row = f"zoo.Token:{held.pk}"
def press(action, **more):
    address = f"{reverse('admin:lifecycle_row_action', args=[action])}?row={row}"
    answer = client.post(address, more, follow=True)
    assert answer.status_code == 200, answer.status_code
for name in ("event", "agendaentry", "rowexception", "policystate"):
    assert client.get(reverse(f"admin:lifecycle_{name}_changelist")).status_code == 200, name
assert client.get(reverse("admin:purge_run_changelist")).status_code == 200
assert client.get(reverse("admin:lifecycle_row"), {"row": row}).status_code == 200
press("hold", reason="dispute", reference="B-2")
assert [h.reference for h in holds() if h.reference == "B-2"] == ["B-2"]
press("release")
assert not [h for h in holds() if h.reference == "B-2"]
press("restore")
assert RowException.objects.filter(kind="restored", key=str(held.pk)).exists()
state = PolicyState.objects.get(name="tokens")
def steer(action):
    address = reverse("admin:lifecycle_policystate_changelist")
    return client.post(address, {"action": action, "_selected_action": [state.pk]}, follow=True)
assert steer("pause").status_code == 200
assert PolicyState.objects.get(pk=state.pk).state == "paused"
assert steer("resume").status_code == 200
assert PolicyState.objects.get(pk=state.pk).state == "enabled"
"""
WORKER = """
from purge.runner import run_due
from tests.support import run_until_idle
run_until_idle(deadline=200)
assert list(Token.objects.order_by("pk").values_list("pk", flat=True)) == {stay}
assert not Legacy.objects.exists() and not Spark.objects.exists()
assert Event.objects.filter(kind="purged", policy="tokens").exists()
receipt = purge.erase(Person.objects.get(), reference="DSR-1", actor="jo", grace=timedelta(0))
assert not Person.objects.exists()
def command(*words, code=0):
    try:
        call_command(*words)
    except Exception as error:
        assert code and getattr(error, "returncode", 1) == code, (words, error)
for words in (
    ("lifecycle", "status"), ("check", "--database", "default"), ("lifecycle", "holds"),
    ("lifecycle", "why", "zoo.Token:{held}"), ("lifecycle", "report"), ("purge",),
    ("purge", "--replay", "--yes"), ("lifecycle", "verify"), ("archive", "verify", "--all"),
    ("lifecycle", "backfill", "--policy", "tokens"), ("lifecycle", "pause", "--all"),
    ("lifecycle", "resume", "--all"), ("migrate", "--check"),
):
    command(*words)
"""


WARNED = """
from types import SimpleNamespace
from purge.notices import send
from purge.runner import run_due
run_due()
assert Guest.objects.live().exists()
sent = []
send.patient = lambda: SimpleNamespace(send_messages=sent.extend)
assert send.send_due("default") == 1
print(sent[0].body.split("https://site.example")[1].split()[0])
"""
KEPT = """
from django.test import Client
row = Guest.objects.get()
assert row in Guest.objects.live()
page = Client().post({link!r})
assert b"It stays." in page.content, page.content
"""


@pytest.mark.slow
def test_a_notice(owned: Owned) -> None:
    """The worker warns of what the site has written, and the site does what its link says."""
    owned.run("site", "Guest.objects.create(email='jo@example.com', seen_at=PAST - 400 * DAY)")
    link = owned.run("worker", WARNED)
    owned.run("site", KEPT.format(link=link))
    kinds = "SELECT string_agg(kind, ' ' ORDER BY id) FROM lifecycle_event WHERE policy = 'guests'"
    told = owned.ask(f"{kinds} AND count > 0", kind="reader").split()
    assert told == ["expiry_scheduled", "expiry_scheduled", "noticed", "restored"]


@pytest.mark.slow
def test_the_whole_life(owned: Owned) -> None:
    *tokens, _ = json.loads(owned.run("site", SITE))
    held, restored, _, _, _, later = tokens
    before = owned.ask("SELECT count(*) FROM zoo_token")
    owned.run("worker", WORKER.format(stay=[held, restored, later], held=held))
    assert before - owned.ask("SELECT count(*) FROM zoo_token") == 3
    let_go = f"release(Token.objects.get(pk={held})); assert not holds()"
    owned.run("site", let_go)
    owned.manage("worker", "purge")
    assert owned.ask("SELECT array_agg(id ORDER BY id) FROM zoo_token") == [restored, later]
    assert owned.ask("SELECT count(*) FROM lifecycle_event", kind="reader") > 0
    assert owned.ask("SELECT count(*) FROM lifecycle.story_v1()", kind="reader") > 0


@pytest.mark.parametrize("kind", ["site", "worker", "reader"])
def test_each_may_read_the_metrics(owned: Owned, kind: str) -> None:
    """A reader is enough; it sees no more of the worker's tables than that."""
    said = owned.manage(kind, "lifecycle", "metrics")
    assert 'lifecycle_up{database="default"} 1.0' in said
    assert 'lifecycle_rows_total{database="default",outcome="purged",policy="tokens"}' in said
    if kind == "reader":
        refused(owned, kind, "UPDATE purge_total SET purged = 0")


def test_a_reader_reads_how_retention_stands(owned: Owned) -> None:
    """And neither whom requests are about, nor what plans are made of."""
    assert '"tokens"' in owned.manage("reader", "lifecycle", "status", "--json")
    assert "Retention, " in owned.manage("reader", "lifecycle", "report")
    assert "Traceback" not in owned.manage("reader", "archive", "ls")
    for text in ("SELECT key FROM purge_request", "SELECT FROM purge_plan"):
        refused(owned, "reader", text)


@pytest.mark.slow
def test_the_admin(owned: Owned) -> None:
    owned.run("site", ADMIN)


@pytest.mark.slow
def test_a_consumer(owned: Owned, tmp_path: Path) -> None:
    """The worker owns nothing and ends what the site has written; the reader is told."""
    insert = "INSERT INTO zoo_spark (flash, expires_at) VALUES (false, now() + %s) RETURNING id"
    with owned.consumer(tmp_path) as consumer, owned.session("site") as site:
        stays, goes = (
            str(site.execute(insert, [span]).fetchone()[0])  # type: ignore[index]
            for span in (timedelta(hours=1), timedelta(seconds=1))
        )
        there = "SELECT array_agg(id::text) FROM zoo_spark"
        until(lambda: owned.ask(there) == [stays] or consumer.has_ended(), PATIENCE)
        assert not consumer.has_ended(), consumer.log.read_text()
    log = consumer.log.read_text()
    assert "Traceback" not in log
    assert "InsufficientPrivilege" not in log
    told = json.loads(owned.manage("reader", "lifecycle", "why", f"zoo.Spark:{goes}", "--json"))
    kinds = [event["kind"] for event in reversed(told["events"]) if event["kind"] != "backfilled"]
    assert kinds == ["expiry_scheduled", "tombstoned", "purged"]
    assert told["exists"] is None
    assert "may not read zoo.Spark" in told["says"]


@pytest.mark.slow
def test_nobody_else_reads_the_hosts_rows(owned: Owned) -> None:
    refused(owned, "reader", "SELECT FROM zoo_token")
    refused(owned, "reader", "SELECT FROM huey_task")
    refused(owned, "site", "INSERT INTO huey_task DEFAULT VALUES")


@pytest.mark.slow
def test_twice_is_once_and_rights_from_before_go(owned: Owned) -> None:
    rights = "SELECT array_agg(relname || relacl::text ORDER BY oid) FROM pg_class"
    grant(owned)
    before = owned.ask(rights)
    with owned.session("owner") as session:
        session.execute(f'GRANT ALL ON lifecycle_agenda TO "{owned.roles["site"]}"')
        session.execute(f'GRANT ALL ON FUNCTION lifecycle.rebuild_v1 TO "{owned.roles["site"]}"')
    grant(owned)
    assert owned.ask(rights) == before
    refused(owned, "site", "SELECT lifecycle.rebuild_v1()")
    refused(owned, "site", "DELETE FROM lifecycle_agenda")


@pytest.mark.slow
def test_printed_is_what_is_made(owned: Owned) -> None:
    rights = """SELECT array_agg(one::text ORDER BY one::text) FROM (
        SELECT relname, grantee, privilege_type FROM pg_class, aclexplode(relacl)
        WHERE grantee <> relowner) AS one"""
    before = owned.ask(rights)
    with owned.session("owner") as session:
        for kind in ("site", "worker", "reader"):
            session.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{owned.roles[kind]}"')
    assert owned.ask(rights) != before
    for text in grant(owned, "--database", "default").split(";\n"):
        with owned.session("owner") as session:
            session.execute(text.rstrip(";\n"))
    assert owned.ask(rights) == before


REFUSED = """
from django.core.management import CommandError
def told(site):
    try:
        call_command("lifecycle", "grants", "--site", site, "--worker", {worker!r}, "--apply")
    except CommandError as error:
        return str(error)
print(json.dumps([told(site) for site in {sites!r}]))
"""


@pytest.mark.slow
def test_refusals(owned: Owned) -> None:
    superuser = owned.ask("SELECT rolname FROM pg_roles WHERE rolsuper LIMIT 1")
    worker, owner = owned.roles["worker"], owned.roles["owner"]
    why = {
        "no'\"body": "There is no role",
        superuser: "is a superuser",
        owner: "owns the ledger",
        worker: "One role for two",
    }
    said = json.loads(owned.run("owner", REFUSED.format(worker=worker, sites=list(why))))
    assert [text for text, word in zip(said, why.values(), strict=True) if word not in text] == []
    sites = [owned.roles["site"]]
    (said,) = json.loads(owned.run("worker", REFUSED.format(worker=worker, sites=sites)))
    assert "connect as the role that migrates" in said


# ------------------------------------------------------------------------- what they cannot do
def refused(owned: Owned, kind: str, text: str, *params: Any) -> None:
    with owned.session(kind) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(text, params)


def ledger(owned: Owned) -> Any:
    """What must be as before: how many events, entries, exceptions, and each policy's row."""
    return owned.ask(
        "SELECT jsonb_build_array((SELECT count(*) FROM lifecycle_event),"
        " (SELECT jsonb_agg(to_jsonb(a) ORDER BY event_id) FROM lifecycle_agenda AS a),"
        " (SELECT jsonb_agg(to_jsonb(e) ORDER BY id) FROM lifecycle_exception AS e),"
        " (SELECT jsonb_agg(to_jsonb(p) ORDER BY name) FROM lifecycle_policy AS p))"
    )


@pytest.mark.parametrize("kind", ["site", "worker", "reader"])
def test_no_table_of_the_ledger_is_written_but_by_functions(owned: Owned, kind: str) -> None:
    before = ledger(owned)
    for table in roles.LEDGER:
        columns = "SELECT array_agg(attname::text) FROM pg_attribute"
        columns += " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        for column in owned.ask(columns, table):
            if (kind, column) != ("worker", "attempts"):
                refused(owned, kind, f"UPDATE {table} SET {column} = {column}")
        refused(owned, kind, f"INSERT INTO {table} SELECT * FROM {table}")
        refused(owned, kind, f"DELETE FROM {table}")
        refused(owned, kind, f"TRUNCATE {table}")
        refused(owned, kind, f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    assert ledger(owned) == before


FORBIDDEN = (
    "SELECT lifecycle.rebuild_v1()",
    "SELECT salt FROM lifecycle.salt",
)
OF_THE_ENGINE = (
    "SELECT lifecycle.write_v1('settled', '', '', NULL, 0, NULL, NULL, NULL, '{}', NULL)",
    "SELECT lifecycle.scheduled_v1('tokens', 'zoo.token', lifecycle.one_v1('bigint', '1'),"
    " ARRAY[now()], '{\"dropped\": true}')",
    "SELECT lifecycle.spend_v1('tokens', now(), 10000000)",
    "SELECT lifecycle.identities_v1(ARRAY['\\x00'::bytea])",
    "SELECT lifecycle.announce_v1('{}')",
    "SELECT lifecycle.capture_failed_v1('a', 'b', lifecycle.one_v1('bigint', '1'), 'x')",
    "SELECT lifecycle.truncated_v1('zoo.token')",
    "SELECT lifecycle.apply_v1(e) FROM lifecycle_event AS e",
)


@pytest.mark.parametrize("kind", ["site", "worker", "reader"])
def test_functions_that_nobody_is_given(owned: Owned, kind: str) -> None:
    before = ledger(owned)
    for text in FORBIDDEN:
        refused(owned, kind, text)
    assert ledger(owned) == before


@pytest.mark.parametrize("kind", ["site", "reader"])
@pytest.mark.parametrize("text", OF_THE_ENGINE)
def test_functions_of_the_engine(owned: Owned, kind: str, text: str) -> None:
    before = ledger(owned)
    refused(owned, kind, text)
    assert ledger(owned) == before


def test_exactly_the_listed_functions(owned: Owned) -> None:
    """Beside what is everybody's, and all that is listed is there."""
    own = (
        "SELECT array_agg(DISTINCT proname::text) FROM pg_proc"
        " WHERE pronamespace = 'lifecycle'::regnamespace"
        " AND has_function_privilege(%s, oid, 'EXECUTE')"
        " AND NOT has_function_privilege('public', oid, 'EXECUTE')"
    )
    for kind, names in roles.FUNCTIONS.items():
        assert sorted(owned.ask(own, owned.roles[kind])) == sorted(names)


def test_the_site_pauses_and_goes_on_and_no_more(owned: Owned) -> None:
    changes = [("policy_changed", state) for state in ("enabled", "observe", "removed")]
    for kind, state in (*changes, ("resumed", "enabled"), ("purged", "paused")):
        refused(owned, "site", "SELECT lifecycle.steer_v1('tickets', %s, %s)", kind, state)
    refused(owned, "site", "SELECT lifecycle.steer_v1('nobody', 'policy_changed', 'paused')")
    assert owned.ask("SELECT state FROM lifecycle_policy WHERE name = 'tickets'") == "enabled"


def test_what_the_site_may_record(owned: Owned) -> None:
    before = ledger(owned)
    one = "lifecycle.one_v1('bigint', '1')"
    for kind, policy, subjects, detail in (
        ("purged", "tokens", one, "{}"),
        ("settled", "", "NULL", "{}"),
        ("restored", "tokens", one, '{"anew": "declared"}'),
        ("hold_placed", "", one, '{"cause": "erasure"}'),
        ("expired_by_hand", "tokens", one, '{"grace": 0, "reference": "DSR-9"}'),
        ("expired_by_hand", "tokens", "NULL", "{}"),
        ("restored", "tickets", one, "{}"),
        ("planned", "tokens", "NULL", '{"step": "applied"}'),
        ("requested", "tokens", one, '{"step": "opened"}'),
        ("requested", "tokens", one, '{"step": "answered", "request": 1, "reason": "x"}'),
        ("exported", "", one, "{}"),
    ):
        text = f"SELECT lifecycle.record_v1(%s, %s, 'zoo.token', {subjects}, %s)"
        refused(owned, "site", text, kind, policy, detail)
    assert ledger(owned) == before


def test_a_site_makes_no_plan(owned: Owned) -> None:
    """Neither the events that a worker acts upon, nor the rows that name what is planned."""
    refused(owned, "site", "SELECT lifecycle.plan_v1('tokens', 'zoo.token', '{}')")
    for table in ("purge_plan", "purge_plan_part"):
        refused(owned, "site", f"DELETE FROM {table}")
    assert "officer" in owned.run("site", PLAN_REFUSED)


PLAN_REFUSED = """
from lifecycle.exceptions import LifecycleError
try:
    purge.plan("hold", Token.objects.all(), "reason", actor="jo")
except LifecycleError as error:
    print(error)
"""
OPENED = """
person = Person.objects.create()
made = purge.request_erasure(person, "DSR-2", actor="jo", grace=timedelta(0))
assert Person.objects.exists() and not made.done_at and not made.waits_for, vars(made)
later = purge.request_erasure(Person.objects.create(), "DSR-3", actor="jo")
purge.answer_request(purge.extend_request(later.pk, "many", "jo").pk, "a contract", "jo")
"""
PLANNED = """
token = Token.objects.create(expires_at=timezone.now() + timedelta(days=3))
made = purge.plan("purge", Token.objects.filter(pk=token.pk), "reason", policy="tokens", actor="jo")
purge.apply_plan(made.pk, 1, actor="jo")
print(token.pk)
"""
CARRIED_OUT = """
from purge.plans.carry_out import carry_out_all
from purge.requests.ask import retry
carry_out_all("default")
assert not Token.objects.filter(pk={token}).exists()
retry()
assert Person.objects.count() == 1
call_command("lifecycle", "verify")
"""


@pytest.mark.slow
def test_what_people_ask_for_at_the_site_the_worker_does(owned: Owned) -> None:
    owned.run("site", OPENED)
    owned.run("worker", CARRIED_OUT.format(token=owned.run("officer", PLANNED).strip()))
    said = "SELECT array_agg(DISTINCT detail ->> 'claimed') FROM lifecycle_event WHERE kind = %s"
    assert owned.ask(said, "requested") == [owned.roles["site"], None]
    assert owned.ask(said, "planned") == [owned.roles["officer"], None]


@pytest.mark.slow
def test_attempts_end_no_row(owned: Owned) -> None:
    """The one column that a worker may write, so that it can lock entries."""
    code = "t = Token.objects.create(expires_at=timezone.now() + timedelta(days=3)); print(t.pk)"
    key = int(owned.run("site", code))
    with owned.session("worker") as session:
        for attempts in (-5, 2**31 - 1):
            session.execute("UPDATE lifecycle_agenda SET attempts = %s", [attempts])
            owned.manage("worker", "purge")
            assert owned.ask("SELECT count(*) FROM zoo_token WHERE id = %s", key) == 1
        session.execute("UPDATE lifecycle_agenda SET attempts = 0")


def test_what_was_spent_is_not_taken_back(owned: Owned) -> None:
    spent = "SELECT spent FROM lifecycle_policy WHERE name = 'sensors'"
    with owned.session("worker") as session:
        session.execute("SELECT lifecycle.spend_v1('sensors', now(), 7)")
        before = owned.ask(spent)
        assert list(before.values()) == [7]
        session.execute("SELECT lifecycle.spend_v1('sensors', now(), -7)")
        session.execute("SELECT lifecycle.spend_v1('sensors', now() + interval '20 years', 0)")
    assert before.items() <= owned.ask(spent).items()


def test_the_grants_are_printed_quoted(owned: Owned) -> None:
    text = grant(owned, "--database", "default")
    assert 'ON TABLE "public"."Zoo; it\'s an odd table" TO' in text
    own = [line for line in text.splitlines() if '"lifecycle_event"' in line]
    assert own
    assert "INSERT" not in "".join(own)


LOGS = """
from demo.models import AuditLog
logs = [AuditLog.objects.create(actor="jo", action="x", target="y") for _ in range(3)]
old = AuditLog.objects.filter(pk__in=[log.pk for log in logs[:2]])
old.update(created_at=PAST - timedelta(days=400))
print(logs[2].pk)
"""
ARCHIVE = """
from demo.models import AuditLog
from purge.models import Archive
call_command("purge")
call_command("purge")
assert [a.state for a in Archive.objects.all()] == ["done"], list(Archive.objects.values())
assert [str(pk) for pk in AuditLog.objects.values_list("pk", flat=True)] == ["{stays}"]
call_command("archive", "verify", "--all")
call_command("archive", "load", Archive.objects.get().name)
assert AuditLog.objects.count() == 3
"""


SAYS = """
from django.core.checks import run_checks
for message in run_checks(tags=["database"], databases=["default"]):
    print(message)
"""


@pytest.mark.slow
def test_checks_name_what_a_role_could_do(owned: Owned) -> None:
    assert "W12" not in owned.run("site", SAYS)
    assert "I122" not in owned.run("worker", SAYS)
    assert f"The role {owned.roles['owner']} of 'default' owns the ledger." in owned.run(
        "owner", SAYS
    )
    with owned.session("owner") as session:
        session.execute(f'GRANT DELETE, INSERT ON lifecycle_agenda TO "{owned.roles["site"]}"')
        session.execute("GRANT UPDATE (state) ON lifecycle_policy TO PUBLIC")
        session.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    said = owned.run("worker", SAYS).splitlines()
    hints = [line.partition("HINT: ")[2].partition(";")[0] for line in said if "REVOKE" in line]
    with owned.session("owner") as session:
        for hint in hints:
            session.execute(hint)
    grant(owned)
    assert len(hints) == 3
    assert "W12" not in owned.run("site", SAYS)


@pytest.mark.slow
def test_an_archive(owned: Owned) -> None:
    """Last, for its events are of a later time."""
    stays = owned.run("site", LOGS)
    clock = "SELECT pg_catalog.clock_timestamp()"
    with owned.session("owner") as session:
        session.execute(function_file("now_v1").replace(clock, f"{clock} + interval '25 days'"))
    try:
        owned.run("worker", ARCHIVE.format(stays=stays))
    finally:
        with owned.session("owner") as session:
            session.execute(function_file("now_v1"))


PARTITIONS = """
CREATE TABLE zoo_ping (id bigint, created timestamptz, PRIMARY KEY (id, created))
    PARTITION BY RANGE (created);
CREATE TABLE zoo_ping_1 PARTITION OF zoo_ping FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE zoo_ping_2 PARTITION OF zoo_ping FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
INSERT INTO zoo_ping VALUES (1, '2020-01-15'), (2, '2020-02-15');
INSERT INTO lifecycle_policy (name, model, fingerprint, state, key_kind, due_sql, state_sql,
    enforced, spent, declared_at, partitioned)
VALUES ('pings', 'zoo.ping', '', 'enabled', 'bigint', '', '', false, '{}', now(),
    '{"table": "zoo_ping", "column": "created", "key": "id", "seconds": 60}')
"""
NOT_THE_WORKERS = (
    "DROP TABLE zoo_ping_1",
    "SELECT FROM zoo_ping_1",
    "UPDATE lifecycle_policy SET partitioned = '{}'",
    "SELECT lifecycle.excepted_rows_v1('pings', 'zoo_ping_1'::regclass)",
)
DROPS = (
    "SELECT lifecycle.drop_partition_v1('pings', '2020-0{}-01Z', 1, NULL, now() + interval '1 min')"
)


def test_a_worker_that_owns_nothing_drops_partitions(owned: Owned) -> None:
    with owned.session("owner") as owner:
        owner.execute(PARTITIONS)
        try:
            for kind in ("site", "officer", "reader"):
                refused(owned, kind, DROPS.format(2))
            for text in NOT_THE_WORKERS:
                refused(owned, "worker", text)
            assert owned.ask(DROPS.format(2), kind="worker") == ""
            assert owned.ask("SELECT to_regclass('zoo_ping_1')") is None
            assert owned.ask("SELECT count FROM lifecycle_event WHERE policy = 'pings'") == 1
            assert owned.ask(DROPS.format(4), kind="worker") == "gone"
            superuser = url_of(settings.DATABASES["default"], quote(owned.name, safe=""))
            with psycopg.connect(superuser, autocommit=True) as other:
                other.execute("ALTER TABLE zoo_ping_2 OWNER TO CURRENT_USER")
                assert owned.ask(DROPS.format(3), kind="worker") == "not_owner"
                other.execute("DROP TABLE zoo_ping_2")
        finally:
            owner.execute("DROP TABLE zoo_ping; DELETE FROM lifecycle_policy WHERE name = 'pings'")


ERASED_IN_ARCHIVES = """
import tempfile
from django.conf import settings
from pathlib import Path
from purge.models import Archive, ArchiveErasure, Rewrite
from purge.runner import run_due
from tests.purge.archive.engine import archiving
settings.LIFECYCLE_ARCHIVE_DIR = tempfile.mkdtemp()
her = Person.objects.create()
with archiving("tokens", checked=False, erased_with={"label": "zoo.Person"}):
    for label in (str(her.pk), "other"):
        Token.objects.create(label=label, expires_at=PAST)
    run_due()
    purge.erase(her, "DSR-9", actor="jo", grace=timedelta(0))
    call_command("purge", verbosity=0)
    assert not (ArchiveErasure.objects.exists() or Rewrite.objects.exists())
    call_command("archive", "erase", "tokens", "--where", "label=other", "--reference", "DSR-9",
                 "--yes", verbosity=0)
    Token.objects.create(label="lost", expires_at=PAST)
    run_due()
    name = Archive.objects.latest("pk").name
    for path in Path(settings.LIFECYCLE_ARCHIVE_DIR).rglob(f"{name}.*"):
        path.unlink()
    call_command("archive", "lost", name, "--reason", "gone", "--actor", "jo", "--yes")
    assert Event.objects.get(kind="archive_lost").detail["archive"] == name
steps = Event.objects.filter(kind="archive_erased").order_by("id").values_list("detail__step")
print(",".join(step for step, in steps))
"""


@pytest.mark.slow
def test_a_worker_erases_in_archives(owned: Owned) -> None:
    done = owned.run("worker", ERASED_IN_ARCHIVES).splitlines()[-1]
    assert done == "asked,rewritten,gone,done,rewritten,gone"
    said = "SELECT array_agg(DISTINCT detail ->> 'claimed') FROM lifecycle_event WHERE kind = %s"
    assert owned.ask(said, "archive_erased") == [None]
    for table in ("purge_archive_erasure", "purge_rewrite"):
        refused(owned, "site", f"DELETE FROM {table}")
        refused(owned, "officer", f"DELETE FROM {table}")
