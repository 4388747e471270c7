-- name: bodies
-- The functions of the package that are there: what they say, as whom they run, whether their search path is fixed.
SELECT proname, prosrc, prosecdef, coalesce(array_to_string(proconfig, ' '), '') LIKE '%%search_path=%%'
FROM pg_proc WHERE pronamespace = to_regnamespace('lifecycle')
