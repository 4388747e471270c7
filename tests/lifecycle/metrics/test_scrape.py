"""What a scrape shows, parsed by clients that know nothing of this package."""

import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from lifecycle import hold
from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import pause
from lifecycle.metrics import families, read
from lifecycle.metrics.collector import LifecycleCollector, own_registry, register
from lifecycle.metrics.names import METRICS
from lifecycle.models import Event
from lifecycle.policy.registry import all_policies, get_policy
from purge import metrics as of_workers
from purge.alerts.watch import watch
from purge.exceptions import Halt
from purge.models import Run
from purge.passes import runs
from purge.passes.options import PassOptions
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.lifecycle.metrics.away import away
from tests.support import let_pass
from tests.zoo.models import Contract, Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)
Labels = frozenset[tuple[str, str]]


class Scrape:
    """What Prometheus would store."""

    def __init__(self, text: str, parse: Any = parse_text) -> None:
        self.families = {each.name: each for each in parse(text)}
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Of the default database, where the labels name no other."""
        given = {"database": "default"} | labels
        return self.samples.get((name, frozenset(given.items())))

    def all(self, name: str) -> list[dict[str, str]]:
        """The labels of every sample of that name."""
        return [dict(labels) for known, labels in self.samples if known == name]


def scrape() -> Scrape:
    return Scrape(generate_latest(own_registry()).decode())


def tokens(count: int) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.bulk_create(Token(expires_at=past) for _ in range(count))


def test_the_life_of_rows() -> None:
    now = timezone.now()
    drafts = [Draft.objects.create(created_at=now - timedelta(hours=30)) for _ in range(3)]
    Contract.objects.create(draft=drafts[0])
    tokens(4)
    before = scrape()
    assert before.value("lifecycle_due_rows", policy="tokens") == 4
    assert before.value("lifecycle_rows_total", policy="tokens", outcome="purged") == 0
    oldest = before.value("lifecycle_oldest_due_timestamp_seconds", policy="tokens")
    assert oldest == pytest.approx(now.timestamp(), abs=30)
    hold(drafts[1], reason="a dispute")
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    after = scrape()
    assert after.value("lifecycle_up") == 1
    assert after.value("lifecycle_due_rows", policy="tokens") == 0
    assert after.value("lifecycle_oldest_due_timestamp_seconds", policy="tokens") is None
    assert after.value("lifecycle_rows_total", policy="tokens", outcome="purged") == 4
    assert after.value("lifecycle_rows_total", policy="drafts", outcome="purged") == 1
    assert after.value("lifecycle_blocked_rows", policy="drafts") == 1
    assert after.value("lifecycle_held_rows", policy="drafts") == 1
    assert after.value("lifecycle_due_rows", policy="(media)") == 0
    count = after.value("lifecycle_batch_duration_seconds_count", policy="tokens")
    buckets = after.all("lifecycle_batch_duration_seconds_bucket")
    assert count == after.value(
        "lifecycle_batch_duration_seconds_bucket", policy="tokens", le="+Inf"
    )
    assert count is not None
    assert count >= 1
    assert len({each["le"] for each in buckets}) == 12
    assert (after.value("lifecycle_batch_duration_seconds_sum", policy="tokens") or 0) > 0


def test_each_name_and_its_labels(settings: Any) -> None:
    tokens(1)
    fetch("default", "SELECT pg_stat_force_next_flush()")
    run_due()
    watch("default")
    settings.LIFECYCLE_PROOF = {"origin": "a.example/log", "signing_key": "none"}
    fetch(
        "default",
        "INSERT INTO purge_throttle (policy, reason, measured, seconds, since, until)"
        " VALUES ('tokens', 'wal_rate', 1, 2.5, now(), now())",
    )
    text = generate_latest(own_registry()).decode()
    found = Scrape(text)
    wanted = {each.name.removesuffix("_total"): each for each in METRICS}
    assert found.families.keys() == wanted.keys()
    for name, metric in wanted.items():
        family = found.families[name]
        assert family.type == metric.kind
        assert family.documentation == metric.says
        labels = {frozenset(s.labels.keys() - {"le"}) for s in family.samples}
        assert labels <= {frozenset(metric.labels)}, name
        assert labels or name in ("lifecycle_log_alarm", "lifecycle_oldest_due_timestamp_seconds")
    assert found.value("lifecycle_throttled_seconds_total", policy="tokens", reason="wal_rate")
    assert found.value("lifecycle_dead_tuple_ratio", table="zoo_token") is not None
    assert found.value("lifecycle_unshipped_events") == 0
    assert (found.value("lifecycle_unsealed_events") or 0) > 0
    assert found.value("lifecycle_restore_detected") == 0
    assert len(found.all("lifecycle_build_info")) == 1


def test_openmetrics_too() -> None:
    tokens(1)
    run_due()
    text = generate_openmetrics(own_registry()).decode()
    found = Scrape(text, parse_open)
    assert found.value("lifecycle_rows_total", policy="tokens", outcome="purged") == 1
    assert found.value("lifecycle_policy_state", policy="tokens", state="enabled") == 1


def test_the_state_of_a_policy() -> None:
    pause("tokens")
    hold("coupons", reason="an audit")
    run = runs.start("drafts", PassOptions())
    runs.halt(get_policy("drafts"), Halt("cap", "too many"), PassOptions(), run)
    found = scrape()
    for policy, state in {"tokens": "paused", "coupons": "held", "drafts": "halted"}.items():
        states = [s for s in read.STATES
                  if found.value("lifecycle_policy_state", policy=policy, state=s)]  # fmt: skip
        assert states == [state]


def test_when_a_worker_last_looked() -> None:
    assert scrape().value("lifecycle_last_pass_timestamp_seconds", policy="tokens") is None
    tokens(1)
    run_due()
    found = scrape().value("lifecycle_last_pass_timestamp_seconds", policy="tokens")
    assert found == pytest.approx(timezone.now().timestamp(), abs=30)
    assert scrape().value("lifecycle_last_pass_timestamp_seconds", policy="drafts") is None
    watch("default")
    assert scrape().value("lifecycle_last_pass_timestamp_seconds", policy="drafts")


def test_outside_its_hours_nothing_waits(set_hours: Any) -> None:
    tokens(1)
    set_hours("tokens")
    found = scrape()
    assert found.value("lifecycle_due_rows", policy="tokens") == 1
    assert found.value("lifecycle_oldest_due_timestamp_seconds", policy="tokens") is None


def test_counters_outlive_runs_and_processes() -> None:
    tokens(3)
    run_due()
    Run.objects.all().delete()
    tokens(2)
    run_due()
    found = scrape().value("lifecycle_rows_total", policy="tokens", outcome="purged")
    assert found == 5


def test_one_message_however_many_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    answers_of = read.answers_of

    def counting(cursor: Any, *queries: Any) -> Any:
        sent.extend(query.text for query in queries)
        return answers_of(cursor, *queries)

    monkeypatch.setattr(read, "answers_of", counting)
    read.read("default")
    every, few = len(sent), list(all_policies())[:2]
    monkeypatch.setattr(read, "all_policies", lambda: few)
    sent.clear()
    read.read("default")
    assert len(sent) == every == 4


def test_it_reads_no_large_table_from_end_to_end() -> None:
    """Neither table of the ledger, nor runs, nor rows: as PostgreSQL plans it."""
    policies = read._declared("default")
    limits = read.Query(statement(str(ROOT / "lifecycle/metrics/read.py"), "limits"),
                        {"milliseconds": "9999ms"})  # fmt: skip
    asked = [
        read.capped.query(policies, len(policies)), read._measures("default", policies),
        read.Query(*of_workers.measures()),
    ]  # fmt: skip
    large = ("lifecycle_event", "lifecycle_agenda", "lifecycle_exception", "purge_run")
    for query in asked:
        explained = read.Query(f"EXPLAIN (COSTS OFF) {query.text}", query.params)
        with connection.cursor() as cursor:
            plan = "\n".join(line for (line,) in read.answers_of(cursor, limits, explained)[1].rows)
        scanned = [
            line for line in plan.splitlines()
            if "Seq Scan" in line and line.split(" on ")[1].split()[0] in large
        ]  # fmt: skip
        assert scanned == [], plan
        assert "zoo_" not in plan
        assert "purge_run" not in plan


def test_what_is_counted_has_an_end(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(read, "MOST", 3)
    tokens(5)
    run_due()
    settings.LIFECYCLE_PROOF = {"origin": "a.example/log", "signing_key": "none"}
    assert Event.objects.count() > 3
    assert scrape().value("lifecycle_unsealed_events") == 3


def test_it_writes_nothing() -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        read._answers("default", read.Query("DELETE FROM purge_total"))


def test_a_statement_that_takes_too_long_is_stopped(settings: Any) -> None:
    settings.LIFECYCLE_METRICS_TIMEOUT = 1
    with pytest.raises(Exception, match="statement timeout"):
        read._answers("default", read.Query("SELECT pg_sleep(30)"))


@pytest.mark.slow
@pytest.mark.parametrize("silent", [False, True])
def test_a_database_that_is_away_is_told_in_time(settings: Any, silent: bool) -> None:
    settings.LIFECYCLE_METRICS_TIMEOUT = 1
    began = time.monotonic()
    with away(silent):
        found = scrape()
    assert time.monotonic() - began < 8
    assert found.value("lifecycle_up") == 0
    assert {name for name, _ in found.samples} == {"lifecycle_up", "lifecycle_build_info"}


def test_a_database_that_is_away_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def reading(using: str) -> Any:
        if using == "gone":
            raise OperationalError("connection refused")
        return read.read(using)

    monkeypatch.setattr(families, "read", reading)
    errors: list[Exception] = []
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LifecycleCollector(["gone", "default"], errors.append))
    found = Scrape(generate_latest(registry).decode())
    assert found.value("lifecycle_up") == 1
    assert found.value("lifecycle_up", database="gone") == 0
    assert found.value("lifecycle_due_rows", policy="tokens") == 0
    assert len(errors) == 1


def test_another_version_is_told_as_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read, "VERSION", "version 2")
    with pytest.raises(LifecycleError, match="has version 1 of the package, this code needs"):
        read.read("default")
    assert scrape().value("lifecycle_up") == 0


def test_beside_others_on_the_registry_of_django_prometheus() -> None:
    registry = CollectorRegistry(auto_describe=True)  # as the global one is
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "opened", None)  # registering reads nothing
        register(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        register(registry)
    assert "lifecycle_up" in generate_latest(registry).decode()


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("lifecycle", "metrics", *arguments, stdout=out)
        return out.getvalue()

    def test_prints_what_a_scrape_shows(self) -> None:
        tokens(2)
        assert Scrape(self.run()).value("lifecycle_due_rows", policy="tokens") == 2

    def test_writes_a_file_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "lifecycle.prom"
        assert self.run("--output", str(path)) == ""
        assert Scrape(path.read_text()).value("lifecycle_up") == 1
        assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_page_names_them_all() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `lifecycle_")]
    wanted = [
        f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels)} |"
        f" {each.says} |"
        for each in METRICS
    ]
    assert lines == wanted
