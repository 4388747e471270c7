"""What a site imports, for type checkers: `__init__.py` loads it on first use."""

from purge.erasure.erase import erase as erase
from purge.erasure.receipt import receipts as receipts
from purge.outbox.answer import acknowledge as acknowledge
from purge.outbox.subscribers import Purged as Purged
from purge.outbox.subscribers import on_purge as on_purge
from purge.overrides.request import enqueue as enqueue
from purge.overrides.request import run as run
from purge.plans.apply import apply_plan as apply_plan
from purge.plans.apply import approve_plan as approve_plan
from purge.plans.apply import withdraw_plan as withdraw_plan
from purge.plans.make import plan as plan
from purge.requests.ask import answer_request as answer_request
from purge.requests.ask import extend_request as extend_request
from purge.requests.ask import request_erasure as request_erasure
from purge.rewriting.ask import ErasedRows as ErasedRows
from purge.rewriting.ask import erase_archived as erase_archived
