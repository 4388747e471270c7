-- One hold on a set of rows.
SELECT lifecycle.write_v1('hold_placed', '', %(model)s::text, lifecycle.sorted_v1({subjects}),
    %(count)s, NULL, NULL, NULL, %(detail)s::jsonb, NULL)
