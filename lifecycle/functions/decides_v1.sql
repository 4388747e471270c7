-- Whether an event of this kind and detail may do more to the projections than list and settle: see `decide_v1`.
CREATE FUNCTION lifecycle.decides_v1(p_kind text, p_detail jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_kind IN ('restored', 'expired_by_hand', 'hold_placed', 'hold_released', 'truncated', 'policy_changed',
                      'halted', 'resumed', 'noticed')
        OR p_detail ? 'dropped'
        OR p_detail ? 'ended_exceptions' AND p_kind IN ('purged', 'deleted', 'archived')
        OR p_detail ? 'erasure' AND p_kind = 'updated'
$$
