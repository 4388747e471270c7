-- What the DELETE trigger of a table's files would record of one instance.
SELECT lifecycle.media_orphaned_v1(%(model)s, %(field)s, %(names)s, %(grace)s)
