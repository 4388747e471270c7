import pgtrigger.migrations
from django.db import migrations

import lifecycle.operations


class Migration(migrations.Migration):
    dependencies = [("zoo", "0002_partitions")]
    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="reading",
            trigger=lifecycle.operations.Captured(
                name="lc_readings_i",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH "zoo_reading" AS (SELECT * FROM new_rows), told AS (\n            SELECT key::bigint AS key,\n                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), \'1.000000 seconds\'::interval) AS due\n            FROM (SELECT "zoo_reading"."id" AS "key", true AS "matches", "zoo_reading"."expires_at" AS "due" FROM "zoo_reading") AS compiled\n        )\n        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)\n        INTO lc_keys, lc_dues FROM told\n        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'readings\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'readings\', \'zoo.reading\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n    ELSIF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'readings\', \'zoo.reading\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="0eb26bd75cdcf901-2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_lc_readings_i_65dcf",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="zoo_reading",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reading",
            trigger=lifecycle.operations.Captured(
                name="lc_readings_u",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_past_keys bigint[];\n    lc_past_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH was AS (\n            WITH "zoo_reading" AS (SELECT * FROM old_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "zoo_reading"."id" AS "key", true AS "matches", "zoo_reading"."expires_at" AS "due" FROM "zoo_reading") AS compiled\n        ), became AS (\n            WITH "zoo_reading" AS (SELECT * FROM new_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "zoo_reading"."id" AS "key", true AS "matches", "zoo_reading"."expires_at" AS "due" FROM "zoo_reading") AS compiled\n        ), changed AS (\n            SELECT key, lifecycle.tick_v1(became.due, \'1.000000 seconds\'::interval) AS due,\n                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past\n            FROM became LEFT JOIN was USING (key)\n            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches\n        )\n        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(key ORDER BY due, key) FILTER (WHERE past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE past)\n        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed\n        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'readings\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'readings\', \'zoo.reading\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n        RETURN NULL;\n    END IF;\n    IF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'readings\', \'zoo.reading\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    IF lc_past_keys IS NOT NULL THEN\n        lc_keys := lc_past_keys;\n        PERFORM lifecycle.scheduled_v1(\'readings\', \'zoo.reading\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_past_dues, \'{"again": true}\');\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="0eb26bd75cdcf901-2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_readings_u_9ff40",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="zoo_reading",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reading",
            trigger=lifecycle.operations.Captured(
                name="lc_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_told bytea[];\n    lc_count bigint := (SELECT count(*) FROM old_rows);\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    IF lc_count = 0 THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce((lifecycle.ending_v1('zoo.reading') ->> 'count')::bigint = lc_count, false) THEN\n        PERFORM lifecycle.ended_v1('zoo.reading', NULL, lc_count);\n        RETURN NULL;\n    END IF;\n    BEGIN\n        SELECT array_agg(key ORDER BY key) INTO lc_keys\n        FROM (SELECT \"id\"::bigint AS key FROM old_rows) AS taken;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NULL THEN\n        PERFORM lifecycle.ended_v1('zoo.reading', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_count);\n    ELSE\n        PERFORM lifecycle.capture_failed_v1('', 'zoo.reading', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="zoo.reading-id-bigint-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_delete_513fe",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="zoo_reading",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reading",
            trigger=lifecycle.operations.Captured(
                name="lc_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="BEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    PERFORM lifecycle.truncated_v1('zoo.reading');\n    RETURN NULL;\nEND\n",
                    hash="zoo.reading-id-bigint-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_truncate_1b4a8",
                    table="zoo_reading",
                    when="AFTER",
                ),
            ),
        ),
    ]
