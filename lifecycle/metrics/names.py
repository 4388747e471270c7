"""Every metric: its name, kind, labels, and what it says. docs/reference/metrics.md is compared."""

from typing import NamedTuple

GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"
POLICY = ("policy", "database")


class Metric(NamedTuple):
    """A name as Prometheus has it, with the unit and `_total` in it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str


METRICS = [
    Metric("lifecycle_up", GAUGE, ("database",), "Whether the database has answered this scrape."),
    Metric(
        "lifecycle_rows_total", COUNTER, (*POLICY, "outcome"),
        "Rows that batches have looked at, by what became of them.",
    ),
    Metric("lifecycle_due_rows", GAUGE, POLICY, "Rows that are due; no more than are counted."),
    Metric(
        "lifecycle_oldest_due_timestamp_seconds", GAUGE, POLICY,
        "Since when the oldest of what is due waits for a worker, within the purge hours.",
    ),
    Metric("lifecycle_blocked_rows", GAUGE, POLICY, "Rows that cannot end."),
    Metric("lifecycle_held_rows", GAUGE, POLICY, "Holds in force on the policy's table."),
    Metric(
        "lifecycle_policy_state", GAUGE, (*POLICY, "state"),
        "1 for the state that the policy is in, 0 for the others.",
    ),
    Metric(
        "lifecycle_last_pass_timestamp_seconds", GAUGE, POLICY,
        "When a worker last looked for what is due of the policy, or ended a batch of it.",
    ),
    Metric(
        "lifecycle_batch_duration_seconds", HISTOGRAM, POLICY,
        "How long the transactions of batches took.",
    ),
    Metric(
        "lifecycle_unsealed_events", GAUGE, ("database",),
        "Events that are not sealed yet; no more than are counted.",
    ),
    Metric(
        "lifecycle_unshipped_events", GAUGE, ("database",),
        "Events that are sealed and not yet published.",
    ),
    Metric(
        "lifecycle_restore_detected", GAUGE, ("database",),
        "1 while the ledger is older than what was published of it: a backup was restored.",
    ),
    Metric(
        "lifecycle_log_alarm", GAUGE, ("database", "kind"),
        "1 while an alarm about the published log stands, by its kind.",
    ),
    Metric(
        "lifecycle_throttled_seconds_total", COUNTER, (*POLICY, "reason"),
        "Seconds of pauses between batches while the database was under pressure.",
    ),
    Metric(
        "lifecycle_dead_tuple_ratio", GAUGE, ("table", "database"),
        "Share of a table's row versions that are dead and not vacuumed, as the server counts.",
    ),
    Metric("lifecycle_build_info", GAUGE, ("version", "django"), "The versions that answer; 1."),
]  # fmt: skip
BY_NAME = {each.name: each for each in METRICS}
