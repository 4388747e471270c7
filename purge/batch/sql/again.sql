-- When a policy's archive that did not work is tried again.
SELECT max(again_at) FROM purge_archive WHERE policy = %(policy)s AND state IN ('chosen', 'written')
