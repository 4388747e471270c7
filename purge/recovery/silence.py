"""Before files go or rows end: is the database from which the backup was made still at work?"""

import time

from lifecycle.exceptions import LifecycleError
from lifecycle.sealing.log import read_log
from purge.proof.options import ProofOptions
from purge.proof.place import place_of, speak
from purge.proof.ship import store_of

AGAIN = 1.0  # seconds between two readings of the other one's word


def await_silence(using: str, options: ProofOptions) -> None:
    """Wait, for a minute at most, until no other database says that it is at work on this log.

    From then on this one says so. `LifecycleError` where another one goes on speaking: this is a
    copy of it, which must not delete from the store that both use.
    """
    log = read_log(using)
    store = store_of(options, log) if log else None
    while store and (said := speak(using, store, place_of(using))):
        if said == "cloned":
            text = "Another database is at work on this log, and this one is a copy of it"
            raise LifecycleError(f"{text}: give it settings of its own.")
        time.sleep(AGAIN)
