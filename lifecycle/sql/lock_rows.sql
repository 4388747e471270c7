-- Lock rows in key order, as an UPDATE of other columns would; their keys as the ledger writes them.
SELECT {pk}::{kind}::text FROM {table} WHERE {pk} = ANY (%(keys)s::text[]::{type}[])
ORDER BY {pk} FOR NO KEY UPDATE
