-- name: set_local
-- Set settings until the transaction ends, and what they were before; a NULL leaves one as it is.
-- params: names, values
SELECT name, coalesce(current_setting(name, true), ''),
    set_config(name, coalesce(value, current_setting(name, true), ''), true)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS given (name, value)
