-- List rows again, each at its time.
SELECT lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, %(dues)s::timestamptz[],
                              %(detail)s::jsonb)
