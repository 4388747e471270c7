"""The site's visitors: pgbench, from before the package is there until after it is gone."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

WRITES = """
\\set n random(1, 1000000)
BEGIN;
INSERT INTO accounts_token (name, state, created_at, expires_at)
    VALUES ('visitor', 'draft', now(), now() + interval '30 days');
INSERT INTO accounts_session (id, name, state, created_at, expires_at)
    VALUES (md5(random()::text || clock_timestamp()::text || :client_id),
            'visitor', 'draft', now(), now() + interval '14 days')
    ON CONFLICT DO NOTHING;
UPDATE accounts_session SET expires_at = now() + interval '14 days' WHERE id = md5('row ' || :n);
UPDATE shop_cart SET state = 'done' WHERE id = :n;
DELETE FROM accounts_passcode WHERE id = :n;
COMMIT;
"""
ORDERS = """
\\set n random(1, 100000)
BEGIN;
INSERT INTO shop_cart (name, state, created_at, expires_at)
    VALUES ('visitor', 'draft', now(), now() + interval '7 days') RETURNING id AS cart
\\gset
INSERT INTO shop_cartitem (name, state, created_at, parent_id)
    VALUES ('one', 'draft', now(), :cart), ('two', 'draft', now(), :cart);
INSERT INTO desk_auditlog (name, state, created_at) VALUES ('order', 'done', now());
UPDATE shop_product SET name = 'changed' WHERE id = :n;
UPDATE accounts_bounce SET state = 'draft' WHERE id = :n;
INSERT INTO desk_job (name, state, created_at, expires_at)
    VALUES ('order', 'draft', now(), now() + interval '1 day');
COMMIT;
"""


@dataclass
class Load:
    """pgbench with its log of every transaction."""

    pgbench: Path
    url: str
    folder: Path
    rate: int
    clients: int = 6
    phases: list[tuple[str, float, float]] = field(default_factory=list)

    def start(self) -> None:
        """Begin; it goes on until `stop`."""
        scripts = []
        for name, text in (("writes", WRITES), ("orders", ORDERS)):
            path = self.folder / f"{name}.sql"
            path.write_text(text)
            scripts += ["-f", str(path)]
        command = [str(self.pgbench), "-n", "-M", "simple", "-T", "86400", "-P", "60"]
        command += ["-c", str(self.clients), "-j", "1", "-R", str(self.rate)]
        command += ["-l", "--log-prefix", str(self.folder / "load"), *scripts, self.url]
        with (self.folder / "pgbench.err").open("wb") as errors:
            self.process = subprocess.Popen(command, stdout=errors, stderr=errors)

    def phase(self, name: str, began: float) -> None:
        """Remember when something was going on."""
        self.phases.append((name, began, time.time()))

    def stop(self) -> list[str]:
        """End it; the errors that visitors got."""
        died = self.process.poll() is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        told = (self.folder / "pgbench.err").read_text().splitlines()
        wrong = [line for line in told if "rror" in line or "abort" in line]
        return wrong + (["the load ended by itself"] if died else [])

    def latencies(self) -> list[tuple[float, float]]:
        """When each transaction ended (seconds of the epoch) and how long it took (ms)."""
        found = []
        for path in self.folder.glob("load.*"):
            for line in path.read_text().splitlines():
                parts = line.split()
                if len(parts) >= 6 and parts[2].isdigit():
                    found.append((int(parts[4]) + int(parts[5]) / 1e6, int(parts[2]) / 1000))
        return sorted(found)


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0
