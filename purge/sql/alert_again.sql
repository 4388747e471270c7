-- A policy halts anew: its halts from before are over.
UPDATE purge_alert SET ended_at = lifecycle.now_v1()
WHERE ended_at IS NULL AND kind = 'halted' AND policy = %(policy)s
