-- Each policy with its state and what its agenda lists.
SELECT state.name, state.model, state.state, coalesce(sum(entry.count), 0)::bigint,
    coalesce(sum(entry.count) FILTER (WHERE due_at <= clock_timestamp()), 0)::bigint,
    date_trunc('second', min(due_at)),
    date_trunc('second', greatest(clock_timestamp() - min(due_at), interval '0'))
FROM lifecycle_policy AS state LEFT JOIN lifecycle_agenda AS entry ON entry.policy = state.name
GROUP BY 1, 2, 3 ORDER BY 1
