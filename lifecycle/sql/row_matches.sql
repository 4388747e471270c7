-- Whether a row matches its policy's `when`.
SELECT coalesce((SELECT matches FROM ({state_sql}) AS state WHERE state.key::text = %(key)s), false)
