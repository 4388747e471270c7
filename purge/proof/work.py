"""What a worker does for the log: compare, seal, publish. It never raises.

Within `SHIP_EVERY` seconds, or 10,000 events, what has committed is sealed and published.
"""

import secrets
import time

from django.db import connections

from lifecycle.conf import conf
from lifecycle.logs import Log
from lifecycle.sealing.log import note, read_log
from lifecycle.sealing.seal import seal_all
from purge.proof import gate
from purge.proof.detect import NORMAL, Decision, State, decide, keep
from purge.proof.options import ProofOptions, proof_options
from purge.proof.place import leave, place_of
from purge.proof.prune import prune
from purge.proof.ship import MOST, Altered, ship_all, store_of
from purge.proof.witnesses import ask_witnesses

SHIP_EVERY = 5.0  # seconds
LOOK_EVERY = 20.0  # seconds; a third of what `purge.proof.place` takes for silence
REST = 10.0  # seconds after a failure
PRUNE_EVERY = 3600.0  # seconds
ASK_AGAIN = 60.0  # seconds after a witness has not answered

log = Log("purge")


class Publisher:
    """The state of one database's log in one process: when it was looked at, and when shipped."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.looked = self.shipped = self.rests_until = self.asks_from = self.pruned = float("-inf")
        self.healthy, self.asked = True, False

    def step(self, at_once: bool = False) -> None:
        """Do what is to be done now; `at_once`: also what could wait some seconds."""
        if not conf.PROOF or (time.monotonic() < self.rests_until and not at_once):
            return
        try:
            self._step(at_once)
            self.healthy = True
        except Exception:
            if self.healthy:
                log("proof_failed", f"{self.using}: nothing is published", database=self.using)
            self.healthy, self.rests_until = False, time.monotonic() + REST
            connections[self.using].close_if_unusable_or_obsolete()

    def _step(self, at_once: bool) -> None:
        options = proof_options()
        if options is None:
            return
        if at_once or time.monotonic() - self.looked >= LOOK_EVERY:
            found = decide(self.using, options)
            gate.forget(self.using)
            self.looked = time.monotonic()
            if not found.is_alarm or found.witness:
                self._ask(options)
            if found.state in (State.RESTORED, State.FORKED, State.CLONED):
                return  # what is sealed now would be another history
        known = read_log(self.using)
        if known is None or known.alarm.get("kind"):
            return
        seal_all(self.using)
        self._ship(options, at_once)
        self._prune(options)

    def _prune(self, options: ProofOptions) -> None:
        """What is old leaves the table, once an hour."""
        if options.keep is not None and time.monotonic() - self.pruned >= PRUNE_EVERY:
            self.pruned = time.monotonic()
            prune(self.using, options)

    def _ship(self, options: ProofOptions, at_once: bool) -> None:
        known = read_log(self.using)
        waiting = known.size - known.shipped if known else 0
        in_time = time.monotonic() - self.shipped < SHIP_EVERY
        if not waiting or (in_time and waiting < MOST and not at_once):
            return
        try:
            ship_all(self.using, options)
        except Altered as error:
            keep(self.using, Decision(State.ALTERED, str(error)))
        else:
            self._ask(options)
        self.shipped = time.monotonic()

    def _ask(self, options: ProofOptions) -> None:
        """Have the witnesses cosign what is published; what one refuses is an alarm until it signs.

        The first time each is asked, whatever the store has: it may be older than what they signed.
        One that is away is asked again in a minute: publishing does not wait for it each time.
        """
        known = read_log(self.using)
        if known is None or time.monotonic() < self.asks_from:
            return
        asked = ask_witnesses(options, known, anew=not self.asked)
        self.asked = True
        if asked.told != known.witnessed:
            note(self.using, known, witnessed=asked.told)
        if asked.silent:
            self.asks_from = time.monotonic() + ASK_AGAIN
            names = ", ".join(sorted(asked.silent))
            log("unwitnessed", f"{self.using}: not cosigned by {names}", database=self.using)
        refused = {each.witness: each for each in asked.refusals}
        standing = str(known.alarm.get("witness", ""))
        if refused:
            first = refused.get(standing, asked.refusals[0])
            keep(self.using, Decision(State(first.state), first.text, witness=first.witness))
        elif standing and standing not in asked.silent:
            keep(self.using, NORMAL)

    def leave(self) -> None:
        """Say that this worker stops, so that the next one need not wait for its silence."""
        if not conf.PROOF or not self.healthy:
            return
        try:
            options, known = proof_options(), read_log(self.using)
            if options is not None and known is not None and not known.alarm:
                farewell = secrets.token_hex(16)
                note(self.using, known, farewell=farewell)
                leave(store_of(options, known), place_of(self.using), farewell)
        except Exception:
            log("proof_failed", f"{self.using}: no farewell was said", database=self.using)


_publishers: dict[str, Publisher] = {}


def publish_now(using: str) -> None:
    """For a site without a worker: all of it, once."""
    _publishers.setdefault(using, Publisher(using)).step(at_once=True)
