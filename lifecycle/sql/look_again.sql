-- A released hold: what it held is looked at now, by every policy that it concerned. `event` is
-- the event that names the rows: the hold's, or the release's where only some of them are let go.
SELECT lifecycle.write_v1('expiry_scheduled', state.name, held.model,
    ROW(held.subjects_bigint, held.subjects_uuid, held.subjects_text, held.subjects_range)
        ::lifecycle.subjects,
    held.count, NULL, lifecycle.now_v1(), NULL, '{{"carried": "released"}}', NULL)
FROM lifecycle_event AS held
JOIN lifecycle_policy AS state ON state.model = held.model
WHERE held.id = %(event)s AND held.count > 0
