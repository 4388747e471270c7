"""What a site imports, for type checkers: `__init__.py` loads it on first use."""

from lifecycle.capture.attach import register as register
from lifecycle.ledger.context import context as context
from lifecycle.ledger.holds import hold as hold
from lifecycle.ledger.holds import hold_rows as hold_rows
from lifecycle.ledger.holds import holds as holds
from lifecycle.ledger.holds import release as release
from lifecycle.ledger.loaded import loaded as loaded
from lifecycle.ledger.querysets import LifecycleQuerySetMixin as LifecycleQuerySetMixin
from lifecycle.ledger.querysets import live as live
from lifecycle.ledger.querysets import tombstoned as tombstoned
from lifecycle.ledger.row_actions import expire_now as expire_now
from lifecycle.ledger.row_actions import expire_rows as expire_rows
from lifecycle.ledger.row_actions import restore as restore
from lifecycle.policy.capture_modes import Rows as Rows
from lifecycle.policy.capture_modes import Signals as Signals
from lifecycle.policy.capture_modes import Window as Window
from lifecycle.policy.coverage import keep_forever as keep_forever
from lifecycle.policy.described import describe as describe
from lifecycle.policy.dispositions import Archive as Archive
from lifecycle.policy.dispositions import Purge as Purge
from lifecycle.policy.dispositions import Update as Update
from lifecycle.policy.groups import KeepNewest as KeepNewest
from lifecycle.policy.groups import KeepOldest as KeepOldest
from lifecycle.policy.media_fields import track_media as track_media
from lifecycle.policy.own_deletes import ignore_delete as ignore_delete
from lifecycle.policy.policy import Policy as Policy
