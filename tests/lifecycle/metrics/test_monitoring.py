"""The dashboard and the rules that are shipped: each query is answered by what a scrape shows."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from lifecycle.db.connection import fetch
from lifecycle.metrics.collector import own_registry
from lifecycle.metrics.names import BY_NAME
from lifecycle.sealing import log as logs
from purge.alerts.watch import watch
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.purge.proof.support import ORIGIN, USING, in_folder, publish
from tests.zoo.factories import ExpiredTokenFactory

SHIPPED = ROOT / "docs" / "monitoring"
PROMTOOL = shutil.which(os.environ.get("PROMTOOL", "promtool")) or ""
with_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
VARIABLES = {"$__rate_interval": "5m", "$database": ".*", "$policy": ".*"}


def queries() -> dict[str, str]:
    """Each panel's, as Grafana sends it where everything is chosen."""
    found = {}
    for panel in json.loads((SHIPPED / "dashboard.json").read_text())["panels"]:
        (target,) = panel["targets"]
        text = target["expr"]
        for name, value in VARIABLES.items():
            text = text.replace(name, value)
        found[panel["title"]] = text
    return found


def rules() -> str:
    return (SHIPPED / "alerts.yml").read_text(encoding="utf-8")


def promtool(*arguments: str, folder: Path) -> str:
    done = subprocess.run([PROMTOOL, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_they_ask_for_metrics_that_there_are() -> None:
    text = "\n".join(queries().values()) + rules()
    asked = {name.removesuffix("_bucket") for name in re.findall(r"\blifecycle_\w+", text)}
    assert asked == BY_NAME.keys()
    labels = {each for metric in BY_NAME.values() for each in metric.labels} | {"le"}
    grouped = re.findall(r"(?:by|on|without) \(([\w, ]+)\)", text)
    assert {label for each in grouped for label in each.split(", ")} <= labels


def test_they_tell_of_each_thing_that_is_to_be_told() -> None:
    alerts = re.findall(r"alert: Lifecycle(\w+)", rules())
    wanted = {"PassMissing", "Overdue", "Blocked", "Halted", "Braked", "Unshipped", "Restored"}
    assert wanted <= {*alerts}
    tested = re.findall(r"alertname: Lifecycle(\w+)", (SHIPPED / "alerts_test.yml").read_text())
    assert {*tested} == {*alerts}


@with_promtool
def test_the_rules_are_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", "alerts.yml", folder=SHIPPED)


@with_promtool
def test_the_rules_fire_when_they_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", folder=SHIPPED)


@with_promtool
@pytest.mark.django_db(transaction=True)
def test_each_query_is_answered(tmp_path: Path) -> None:
    """By a rule for each that would fire where its query is empty, over what a scrape shows."""
    with in_folder(tmp_path):
        series = scraped()
    names = {f"Q{number}": text for number, text in enumerate(queries().values())}
    names["empty"] = "lifecycle_no_such_metric"
    write(tmp_path / "rules.yml", {"groups": [{"name": "asked", "rules": [
        {"alert": name, "expr": f"absent({text})"} for name, text in names.items()
    ]}]})  # fmt: skip
    expected = [
        {"eval_time": "20m", "alertname": name,
         "exp_alerts": [{"exp_labels": {}}] if name == "empty" else []}
        for name in names
    ]  # fmt: skip
    one = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    write(tmp_path / "test.yml", {"rule_files": ["rules.yml"], "tests": [one]})
    promtool("test", "rules", "test.yml", folder=tmp_path)


def write(path: Path, what: Any) -> None:
    path.write_text(json.dumps(what))  # which is YAML too


def scraped() -> list[dict[str, str]]:
    """A scrape of a site on which things happen, as series of twenty minutes."""
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    publish()
    ExpiredTokenFactory.create_batch(3)
    run_due()
    ExpiredTokenFactory()
    watch("default")
    fetch("default", "SELECT pg_stat_force_next_flush()")
    fetch(
        "default",
        "INSERT INTO purge_throttle (policy, reason, measured, seconds, since, until)"
        " VALUES ('tokens', 'wal_rate', 1, 2.5, now(), now())",
    )
    found = []
    for family in parse_text(generate_latest(own_registry()).decode()):
        for sample in family.samples:
            labels = ", ".join(f'{name}="{value}"' for name, value in sample.labels.items())
            step = int(family.type != "gauge")
            series = f"{sample.name}{{{labels}}}"
            found.append({"series": series, "values": f"{sample.value:.3f}+{step}x20"})
    return found
