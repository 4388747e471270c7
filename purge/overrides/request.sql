-- name: ask
-- An override of a policy: on the agenda for a worker where it has a due time.
-- params: policy, model, listed, detail
SELECT lifecycle.write_v1('expired_by_hand', %(policy)s, %(model)s, NULL, 0, NULL,
    CASE WHEN %(listed)s THEN lifecycle.now_v1() END, NULL, %(detail)s::jsonb, NULL)
