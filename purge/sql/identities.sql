-- The identities of rows of the batch, in the order of their keys; a part of the event's INSERT.
(SELECT lifecycle.identities_v1(array_agg(told ORDER BY {order}))
 FROM (SELECT {column}::{kind} AS key, {bytes} AS told FROM {table} WHERE {rows}) AS named)
