-- name: bodies
-- The functions of the package that are there, and what they say.
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = to_regnamespace('lifecycle')
