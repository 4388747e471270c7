-- name: may_be_made
-- Whether the catalogue is in this database, beside a ledger, and this role may make views of it.
SELECT coalesce(has_schema_privilege(to_regnamespace('lifecycle'), 'CREATE')
    AND has_table_privilege(to_regclass('purge_iceberg_table'), 'SELECT'), false)

-- name: tables
-- Tables as a JDBC catalogue lists them. `security_invoker` stays off: readers need no right on what is below.
CREATE OR REPLACE VIEW lifecycle.iceberg_tables AS
SELECT 'lifecycle'::varchar(255) AS catalog_name, 'archives'::varchar(255) AS table_namespace,
    name::varchar(255) AS table_name,
    (location || '/metadata/v' || version || '.metadata.json')::varchar(1000) AS metadata_location,
    CASE WHEN previous > 0 THEN location || '/metadata/v' || previous || '.metadata.json' END::varchar(1000)
        AS previous_metadata_location,
    'TABLE'::varchar(5) AS iceberg_type
FROM purge_iceberg_table WHERE version > 0

-- name: namespaces
-- The one namespace, which has to have some property to be there.
CREATE OR REPLACE VIEW lifecycle.iceberg_namespace_properties AS
SELECT 'lifecycle'::varchar(255) AS catalog_name, 'archives'::varchar(255) AS namespace,
    'exists'::varchar(255) AS property_key, 'true'::varchar(1000) AS property_value

-- name: readers
GRANT SELECT ON lifecycle.iceberg_tables, lifecycle.iceberg_namespace_properties TO PUBLIC
