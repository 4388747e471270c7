-- name: plain
-- What is JSON as it is.
coalesce({column}::text, 'null')

-- name: big
CASE WHEN {column} IS NULL THEN 'null' WHEN {column} BETWEEN -9007199254740991 AND 9007199254740991
    THEN {column}::text ELSE concat('"', {column}::text, '"') END

-- name: float
CASE WHEN {column} IS NULL THEN 'null' WHEN {column} IN ('NaN', 'Infinity', '-Infinity')
    THEN concat('"', {column}::text, '"') ELSE {column}::text END

-- name: quoted
-- Of types whose text has nothing that JSON escapes.
coalesce('"' || {column}::text || '"', 'null')

-- name: text
-- Escaped as Python escapes it.
coalesce(to_json({column}::text)::text, 'null')

-- name: list
-- An array whose bounds begin at 1 as a list, others as text.
CASE WHEN {column} IS NULL THEN 'null' WHEN {column}::text LIKE '[%%' THEN to_json({column}::text)::text
    ELSE to_json({column})::text END

-- name: text_list
CASE WHEN {column} IS NULL THEN 'null' WHEN {column}::text LIKE '[%%' THEN to_json({column}::text)::text
    ELSE to_json({column}::text[])::text END

-- name: big_list
-- Numbers of 16 digits and more as text.
CASE WHEN {column} IS NULL THEN 'null' WHEN {column}::text LIKE '[%%' THEN to_json({column}::text)::text
    ELSE regexp_replace(to_json({column})::text, '(-?[0-9]{{16,}})', '"\1"', 'g') END

-- name: in_quotes
-- A text as CSV has it; NULL for NULL.
-- parts: value
'"' || replace({value}, '"', '""') || '"'

-- name: unless_null
CASE WHEN {column} IS NOT NULL THEN {value} END

-- name: nulls
-- Which documents are JSON's own null, not NULL: the further field of a line, only where one is.
-- parts: documents, exact_name, pairs
CASE WHEN 'null'::jsonb IN ({documents})
    THEN concat(', ', {exact_name}, ': ', json_strip_nulls(json_build_object({pairs}))::text) END

-- name: null_document
-- parts: column
{label}, CASE WHEN {column} = 'null'::jsonb THEN 'null' END

-- name: fitting
-- A value that a type of Parquet holds; NULL for others.
-- parts: fits
CASE WHEN {fits} THEN {column} END

-- name: is_number
{column} <> 'NaN'

-- name: is_day
{column} BETWEEN '0001-01-01' AND '9999-12-31'

-- name: is_moment
{column} >= '0001-01-01' AND {column} < '10000-01-01'

-- name: unfitting
-- The texts of values that their types of Parquet do not hold; NULL where all fit.
-- parts: any, pairs
CASE WHEN {any} THEN json_strip_nulls(json_build_object({pairs}))::text END

-- name: unfitting_value
-- parts: fits
{label}, CASE WHEN NOT ({fits}) THEN {column}::text END
