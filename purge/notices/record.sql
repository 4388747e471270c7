-- name: write
-- One event about mails. What may end later than its own end is looked at then.
-- params: policy, model, count, detail, keys, due; parts: subjects
SELECT lifecycle.write_v1('noticed', %(policy)s, %(model)s, {subjects}, %(count)s, NULL,
    %(due)s::timestamptz, NULL, %(detail)s::jsonb, NULL)

-- name: lock_row
-- Lock a row until its mail is recorded: its key as the ledger writes it; nothing where it has gone.
-- params: key; parts: table, column, typed
SELECT {table}.{column} FROM {table} WHERE {table}.{column} = {typed} FOR NO KEY UPDATE

-- name: claim
-- The mail that is due first, which nobody else begins until the lease is over; none while the mails of the last hour, with
-- those that the mail server has refused, are as many as may go in one.
-- params: policies, lease, most
UPDATE purge_notice SET attempts = attempts + 1, due_at = lifecycle.now_v1() + %(lease)s
WHERE id = (
    SELECT id FROM purge_notice WHERE due_at <= (SELECT lifecycle.now_v1()) AND policy = ANY (%(policies)s)
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
AND (SELECT count(*) FROM lifecycle_event WHERE kind = 'noticed' AND recorded_at > (SELECT lifecycle.now_v1()) - interval '1 hour'
    AND detail ? 'mail' AND detail ->> 'waived' IS DISTINCT FROM 'no address') < %(most)s
RETURNING id, policy, key, number, ends, attempts, sent_at IS NOT NULL

-- name: done
-- A mail that is done with, unless another one about the row is wanted by now.
-- params: id, number, ends
DELETE FROM purge_notice WHERE id = %(id)s AND number = %(number)s AND ends = %(ends)s

-- name: sent
-- A mail went: whatever comes, it is not sent again.
-- params: id, number, ends
UPDATE purge_notice SET sent_at = lifecycle.now_v1() WHERE id = %(id)s AND number = %(number)s AND ends = %(ends)s

-- name: failed
-- params: id, attempts, wait, error
UPDATE purge_notice SET due_at = lifecycle.now_v1() + %(wait)s, error = %(error)s
WHERE id = %(id)s AND attempts = %(attempts)s
