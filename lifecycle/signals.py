"""Signals sent to host code, after the transaction has committed.

Each is sent with `sender` the model that the policy was declared for, `policy` its name, `events`
the ids of the ledger's events and `count` the number of rows;
`Event.objects.get(pk=events[0]).subjects` gives their keys. A dry run sends none. A receiver that
raises is logged and stops nothing: neither the other receivers nor the worker.

`halted`, `blocked`, `capture_failed`, `lagging` and `held_deleted` tell of a trouble, with its
`cause` in a word or two, once however many workers see it: `halted` at once, the others within a
minute or two. `count` is then of the rows in trouble; of files that cannot be deleted, which have
no `policy`, of those. `held_deleted` (held rows that the site itself has deleted) has none either.
`proof_alarm` tells that the ledger is not what was published of it: its `cause` is how, its `count`
the published events that are missing.
The page how-to/watch-it.md (`lifecycle.pages.page` says where) has the causes of `lagging`; it has
no `policy` for files.
`capture_failed` has no `policy` where the keys of a table cannot be read. Receivers get
`**kwargs`: there may be more.

`media_manifest` is another kind: it asks. It is sent before the files of a model's `field` are
deleted, with their `names`, and maybe again for the same ones; a receiver returns the further names
in the same storage that are to go with them, such as thumbnails, or None. If one raises, the files
stay and are tried again later.
"""

from django.dispatch import Signal

tombstoned = Signal()
restored = Signal()
purged = Signal()
archived = Signal()
halted = Signal()
blocked = Signal()
capture_failed = Signal()
lagging = Signal()
held_deleted = Signal()
proof_alarm = Signal()
media_manifest = Signal()
