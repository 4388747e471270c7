"""What a site imports, for type checkers: `__init__.py` loads it on first use."""

from purge.erasure.erase import erase as erase
from purge.erasure.receipt import receipts as receipts
from purge.overrides.request import enqueue as enqueue
from purge.overrides.request import run as run
