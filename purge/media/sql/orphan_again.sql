-- Names whose files are back: due now.
SELECT lifecycle.write_v1('media_orphaned', '', %(model)s, NULL, %(count)s, NULL, lifecycle.now_v1(), NULL,
    %(detail)s::jsonb, NULL)
