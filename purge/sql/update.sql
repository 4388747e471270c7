-- Rows that were locked and looked at.
UPDATE {table} SET {assignments} WHERE {rows}
