-- name: volatile
-- Functions of these names of which every form is volatile.
-- params: names
SELECT proname FROM pg_proc WHERE proname = ANY (%(names)s)
GROUP BY 1 HAVING bool_and(provolatile = 'v') ORDER BY 1
