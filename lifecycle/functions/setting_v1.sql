-- A transaction-local setting of ours; NULL when it was never set or is empty.
CREATE FUNCTION lifecycle.setting_v1(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('lifecycle.' || name, true), '')
$$
