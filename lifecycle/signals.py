"""Signals sent to host code, after the transaction has committed.

Each is sent with `sender` the model's class, `policy` its name, `event` the id of the ledger's
event and `count` the number of rows; `Event.objects.get(pk=event).subjects` gives their keys.
A receiver that raises is logged and stops nothing.
"""

from django.dispatch import Signal

tombstoned = Signal()
restored = Signal()
purged = Signal()
archived = Signal()
halted = Signal()
