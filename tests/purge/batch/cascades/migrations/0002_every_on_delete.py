"""By hand: what keys a Django knows is for it to say."""

import pgtrigger.migrations
from django.db import migrations, models
from django.db.models import CASCADE

import lifecycle.operations
import tests.purge.batch.cascades.models
from tests.purge.batch.cascades.ways import NATIVE, SQL, WAYS, foreign_key, keys_by_sql


def key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def file():
    return models.FileField(blank=True, upload_to=tests.purge.batch.cascades.models.path)


def mark():
    return tests.purge.batch.cascades.models.MarkField(
        max_length=20, primary_key=True, serialize=False
    )


def foreign_keys(upper):
    return [(way, foreign_key(upper, way)) for way in WAYS]


class Migration(migrations.Migration):
    dependencies = [
        ("cascades", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            "Top", [("id", key()), ("expires_at", models.DateTimeField(null=True))]
        ),
        migrations.CreateModel(
            "Mid", [("id", key()), ("file", file()), *foreign_keys("cascades.top")]
        ),
        migrations.CreateModel(
            "Low", [("id", key()), ("file", file()), *foreign_keys("cascades.mid")]
        ),
        migrations.CreateModel(
            "Scrap",
            [
                ("id", key()),
                ("file", file()),
                ("top", foreign_key("cascades.top", "db_cascade" if NATIVE else "sql_cascade")),
            ],
        ),
        *keys_by_sql("cascades_mid", "cascades_top", SQL),
        *keys_by_sql("cascades_low", "cascades_mid", SQL),
        *([] if NATIVE else keys_by_sql("cascades_scrap", "cascades_top", {"top": "CASCADE"})),
        migrations.CreateModel(
            "Crate",
            [
                ("mark", mark()),
                ("expires_at", models.DateTimeField(null=True)),
                ("above", models.ForeignKey("cascades.crate", CASCADE, null=True)),
            ],
        ),
        migrations.CreateModel(
            "Parcel",
            [("mark", mark()), ("crate", models.ForeignKey("cascades.crate", CASCADE))],
        ),
        migrations.CreateModel(
            "Slip",
            [("id", key()), ("parcel", models.ForeignKey("cascades.parcel", CASCADE))],
        ),
        migrations.CreateModel(
            "Shelf",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "crate_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.IntegerField()),
                ("code", models.CharField(max_length=20, unique=True)),
                ("crate", models.ForeignKey("cascades.crate", CASCADE)),
            ],
        ),
        migrations.CreateModel(
            "Item",
            [
                ("id", key()),
                ("shelf", models.ForeignKey("cascades.shelf", CASCADE, to_field="code")),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_tops_i",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH "cascades_top" AS (SELECT * FROM new_rows), told AS (\n            SELECT key::bigint AS key,\n                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), \'1.000000 seconds\'::interval) AS due\n            FROM (SELECT "cascades_top"."id" AS "key", true AS "matches", "cascades_top"."expires_at" AS "due" FROM "cascades_top") AS compiled\n        )\n        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)\n        INTO lc_keys, lc_dues FROM told\n        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'tops\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'tops\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n    ELSIF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'tops\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="7882a513a1a344ab-2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_lc_tops_i_e92ff",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_tops_u",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_past_keys bigint[];\n    lc_past_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH was AS (\n            WITH "cascades_top" AS (SELECT * FROM old_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_top"."id" AS "key", true AS "matches", "cascades_top"."expires_at" AS "due" FROM "cascades_top") AS compiled\n        ), became AS (\n            WITH "cascades_top" AS (SELECT * FROM new_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_top"."id" AS "key", true AS "matches", "cascades_top"."expires_at" AS "due" FROM "cascades_top") AS compiled\n        ), changed AS (\n            SELECT key, lifecycle.tick_v1(became.due, \'1.000000 seconds\'::interval) AS due,\n                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past\n            FROM became LEFT JOIN was USING (key)\n            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches\n        )\n        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(key ORDER BY due, key) FILTER (WHERE past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE past)\n        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed\n        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'tops\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'tops\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n        RETURN NULL;\n    END IF;\n    IF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'tops\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    IF lc_past_keys IS NOT NULL THEN\n        lc_keys := lc_past_keys;\n        PERFORM lifecycle.scheduled_v1(\'tops\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_past_dues, \'{"again": true}\');\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="7882a513a1a344ab-2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_tops_u_a963f",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_told bytea[];\n    lc_count bigint := (SELECT count(*) FROM old_rows);\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    IF lc_count = 0 THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce((lifecycle.ending_v1('cascades.top') ->> 'count')::bigint = lc_count, false) THEN\n        PERFORM lifecycle.ended_v1('cascades.top', NULL, lc_count);\n        RETURN NULL;\n    END IF;\n    BEGIN\n        SELECT array_agg(key ORDER BY key) INTO lc_keys\n        FROM (SELECT \"id\"::bigint AS key FROM old_rows) AS taken;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NULL THEN\n        PERFORM lifecycle.ended_v1('cascades.top', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_count);\n    ELSE\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.top', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="cascades.top-id-bigint-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_delete_23ac7",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="BEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    PERFORM lifecycle.truncated_v1('cascades.top');\n    RETURN NULL;\nEND\n",
                    hash="cascades.top-id-bigint-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_truncate_c6f83",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_tops_asked_i",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH \"cascades_top\" AS (SELECT * FROM new_rows), told AS (\n            SELECT key::bigint AS key,\n                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), '1.000000 seconds'::interval) AS due\n            FROM (SELECT \"cascades_top\".\"id\" AS \"key\", true AS \"matches\", NULL AS \"due\" FROM \"cascades_top\") AS compiled\n        )\n        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)\n        INTO lc_keys, lc_dues FROM told\n        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1('tops-asked'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT \"id\"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1('tops-asked', 'cascades.top', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n    ELSIF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1('tops-asked', 'cascades.top', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - '1.000000 seconds'::interval < lifecycle.now_v1() THEN '{\"late\": true}'::jsonb\n                 ELSE '{}' END);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="8b5c6e35ef385569-2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_lc_tops_asked_i_e0b94",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="top",
            trigger=lifecycle.operations.Captured(
                name="lc_tops_asked_u",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_past_keys bigint[];\n    lc_past_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH was AS (\n            WITH "cascades_top" AS (SELECT * FROM old_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_top"."id" AS "key", true AS "matches", NULL AS "due" FROM "cascades_top") AS compiled\n        ), became AS (\n            WITH "cascades_top" AS (SELECT * FROM new_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_top"."id" AS "key", true AS "matches", NULL AS "due" FROM "cascades_top") AS compiled\n        ), changed AS (\n            SELECT key, lifecycle.tick_v1(became.due, \'1.000000 seconds\'::interval) AS due,\n                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past\n            FROM became LEFT JOIN was USING (key)\n            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches\n        )\n        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(key ORDER BY due, key) FILTER (WHERE past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE past)\n        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed\n        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'tops-asked\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'tops-asked\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n        RETURN NULL;\n    END IF;\n    IF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'tops-asked\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    IF lc_past_keys IS NOT NULL THEN\n        lc_keys := lc_past_keys;\n        PERFORM lifecycle.scheduled_v1(\'tops-asked\', \'cascades.top\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_past_dues, \'{"again": true}\');\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="8b5c6e35ef385569-2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_tops_asked_u_ac3d0",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_top",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="crate",
            trigger=lifecycle.operations.Captured(
                name="lc_crates_i",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys text[];\n    lc_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH "cascades_crate" AS (SELECT * FROM new_rows), told AS (\n            SELECT key::text AS key,\n                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), \'1.000000 seconds\'::interval) AS due\n            FROM (SELECT "cascades_crate"."mark" AS "key", true AS "matches", "cascades_crate"."expires_at" AS "due" FROM "cascades_crate") AS compiled\n        )\n        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)\n        INTO lc_keys, lc_dues FROM told\n        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'crates\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "mark"::text AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'crates\', \'cascades.crate\', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n    ELSIF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'crates\', \'cascades.crate\', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="bc079b12f593d75f-2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_lc_crates_i_24b1e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cascades_crate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="crate",
            trigger=lifecycle.operations.Captured(
                name="lc_crates_u",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys text[];\n    lc_dues timestamptz[];\n    lc_past_keys text[];\n    lc_past_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH was AS (\n            WITH "cascades_crate" AS (SELECT * FROM old_rows)\n            SELECT key::text AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_crate"."mark" AS "key", true AS "matches", "cascades_crate"."expires_at" AS "due" FROM "cascades_crate") AS compiled\n        ), became AS (\n            WITH "cascades_crate" AS (SELECT * FROM new_rows)\n            SELECT key::text AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_crate"."mark" AS "key", true AS "matches", "cascades_crate"."expires_at" AS "due" FROM "cascades_crate") AS compiled\n        ), changed AS (\n            SELECT key, lifecycle.tick_v1(became.due, \'1.000000 seconds\'::interval) AS due,\n                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past\n            FROM became LEFT JOIN was USING (key)\n            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches\n        )\n        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(key ORDER BY due, key) FILTER (WHERE past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE past)\n        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed\n        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'crates\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "mark"::text AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'crates\', \'cascades.crate\', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n        RETURN NULL;\n    END IF;\n    IF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'crates\', \'cascades.crate\', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    IF lc_past_keys IS NOT NULL THEN\n        lc_keys := lc_past_keys;\n        PERFORM lifecycle.scheduled_v1(\'crates\', \'cascades.crate\', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_past_dues, \'{"again": true}\');\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="bc079b12f593d75f-2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_crates_u_1ddb2",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_crate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="crate",
            trigger=lifecycle.operations.Captured(
                name="lc_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys text[];\n    lc_told bytea[];\n    lc_count bigint := (SELECT count(*) FROM old_rows);\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    IF lc_count = 0 THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce((lifecycle.ending_v1('cascades.crate') ->> 'count')::bigint = lc_count, false) THEN\n        PERFORM lifecycle.ended_v1('cascades.crate', NULL, lc_count);\n        RETURN NULL;\n    END IF;\n    BEGIN\n        SELECT array_agg(key ORDER BY key COLLATE \"C\") INTO lc_keys\n        FROM (SELECT \"mark\"::text AS key FROM old_rows) AS taken;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NULL THEN\n        PERFORM lifecycle.ended_v1('cascades.crate', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_count);\n    ELSE\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.crate', ROW(NULL, NULL, lc_keys, NULL)::lifecycle.subjects, lc_failure);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="cascades.crate-mark-text-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_delete_96004",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_crate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="crate",
            trigger=lifecycle.operations.Captured(
                name="lc_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="BEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    PERFORM lifecycle.truncated_v1('cascades.crate');\n    RETURN NULL;\nEND\n",
                    hash="cascades.crate-mark-text-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_truncate_3e0d0",
                    table="cascades_crate",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="low",
            trigger=lifecycle.operations.Captured(
                name="lc_media_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(DISTINCT name COLLATE \"C\") INTO lc_names\n        FROM (SELECT \"file\"::text AS name FROM old_rows) AS taken WHERE name <> '';\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.low', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.low', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="41d36582ee217df1-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_media_delete_21644",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_low",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="low",
            trigger=lifecycle.operations.Captured(
                name="lc_media_update",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(name ORDER BY name) INTO lc_names FROM (\n            SELECT \"file\"::text COLLATE \"C\" AS name FROM old_rows WHERE \"file\"::text <> ''\n            EXCEPT SELECT \"file\"::text COLLATE \"C\" FROM new_rows) AS replaced;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.low', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.low', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="41d36582ee217df1-1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_media_update_f697d",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_low",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="low",
            trigger=lifecycle.operations.Captured(
                name="lc_media_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    lc_names := '{}';\n    BEGIN\n        EXECUTE format('SELECT %I::text FROM ONLY %s LIMIT 0', 'file', TG_RELID::regclass);\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.low', NULL, lc_failure);\n    ELSE\n        FOR lc_name IN EXECUTE format(\n            'SELECT %1$I::text FROM ONLY %2$s WHERE %1$I::text <> ''''', 'file', TG_RELID::regclass)\n        LOOP\n            lc_names := lc_names || lc_name;\n            IF cardinality(lc_names) = 1000 THEN\n                PERFORM lifecycle.media_orphaned_v1('cascades.low', 'file', lc_names, '86400.000000 seconds'::interval);\n                lc_names := '{}';\n            END IF;\n        END LOOP;\n        IF lc_names <> '{}' THEN\n            PERFORM lifecycle.media_orphaned_v1('cascades.low', 'file', lc_names, '86400.000000 seconds'::interval);\n        END IF;\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="41d36582ee217df1-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_media_truncate_d376c",
                    table="cascades_low",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scrap",
            trigger=lifecycle.operations.Captured(
                name="lc_media_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(DISTINCT name COLLATE \"C\") INTO lc_names\n        FROM (SELECT \"file\"::text AS name FROM old_rows) AS taken WHERE name <> '';\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.scrap', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.scrap', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="7adaa6ac05711111-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_media_delete_3a4f0",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_scrap",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scrap",
            trigger=lifecycle.operations.Captured(
                name="lc_media_update",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(name ORDER BY name) INTO lc_names FROM (\n            SELECT \"file\"::text COLLATE \"C\" AS name FROM old_rows WHERE \"file\"::text <> ''\n            EXCEPT SELECT \"file\"::text COLLATE \"C\" FROM new_rows) AS replaced;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.scrap', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.scrap', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="7adaa6ac05711111-1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_media_update_74da0",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_scrap",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scrap",
            trigger=lifecycle.operations.Captured(
                name="lc_media_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    lc_names := '{}';\n    BEGIN\n        EXECUTE format('SELECT %I::text FROM ONLY %s LIMIT 0', 'file', TG_RELID::regclass);\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.scrap', NULL, lc_failure);\n    ELSE\n        FOR lc_name IN EXECUTE format(\n            'SELECT %1$I::text FROM ONLY %2$s WHERE %1$I::text <> ''''', 'file', TG_RELID::regclass)\n        LOOP\n            lc_names := lc_names || lc_name;\n            IF cardinality(lc_names) = 1000 THEN\n                PERFORM lifecycle.media_orphaned_v1('cascades.scrap', 'file', lc_names, '86400.000000 seconds'::interval);\n                lc_names := '{}';\n            END IF;\n        END LOOP;\n        IF lc_names <> '{}' THEN\n            PERFORM lifecycle.media_orphaned_v1('cascades.scrap', 'file', lc_names, '86400.000000 seconds'::interval);\n        END IF;\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="7adaa6ac05711111-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_media_truncate_b0f67",
                    table="cascades_scrap",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_mids_i",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH \"cascades_mid\" AS (SELECT * FROM new_rows), told AS (\n            SELECT key::bigint AS key,\n                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), '1.000000 seconds'::interval) AS due\n            FROM (SELECT \"cascades_mid\".\"id\" AS \"key\", true AS \"matches\", NULL AS \"due\" FROM \"cascades_mid\") AS compiled\n        )\n        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)\n        INTO lc_keys, lc_dues FROM told\n        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1('mids'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT \"id\"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1('mids', 'cascades.mid', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n    ELSIF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1('mids', 'cascades.mid', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - '1.000000 seconds'::interval < lifecycle.now_v1() THEN '{\"late\": true}'::jsonb\n                 ELSE '{}' END);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="e866c4f4e012493c-2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_lc_mids_i_0c514",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_mids_u",
                sql=lifecycle.operations.CaptureSql(
                    func='#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_dues timestamptz[];\n    lc_past_keys bigint[];\n    lc_past_dues timestamptz[];\n    lc_failure text;\nBEGIN\n    IF to_regnamespace(\'lifecycle\') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    BEGIN\n        WITH was AS (\n            WITH "cascades_mid" AS (SELECT * FROM old_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_mid"."id" AS "key", true AS "matches", NULL AS "due" FROM "cascades_mid") AS compiled\n        ), became AS (\n            WITH "cascades_mid" AS (SELECT * FROM new_rows)\n            SELECT key::bigint AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due\n            FROM (SELECT "cascades_mid"."id" AS "key", true AS "matches", NULL AS "due" FROM "cascades_mid") AS compiled\n        ), changed AS (\n            SELECT key, lifecycle.tick_v1(became.due, \'1.000000 seconds\'::interval) AS due,\n                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past\n            FROM became LEFT JOIN was USING (key)\n            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches\n        )\n        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),\n            array_agg(key ORDER BY due, key) FILTER (WHERE past),\n            array_agg(due ORDER BY due, key) FILTER (WHERE past)\n        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed\n        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(\'mids\'));\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        BEGIN\n            SELECT array_agg(key ORDER BY key) INTO lc_keys\n            FROM (SELECT "id"::bigint AS key FROM new_rows) AS written;\n        EXCEPTION WHEN OTHERS THEN\n            lc_keys := NULL;\n        END;\n        PERFORM lifecycle.capture_failed_v1(\'mids\', \'cascades.mid\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure)\n        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;\n        RETURN NULL;\n    END IF;\n    IF lc_keys IS NOT NULL THEN\n        PERFORM lifecycle.scheduled_v1(\'mids\', \'cascades.mid\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_dues,\n            CASE WHEN lc_dues[1] - \'1.000000 seconds\'::interval < lifecycle.now_v1() THEN \'{"late": true}\'::jsonb\n                 ELSE \'{}\' END);\n    END IF;\n    IF lc_past_keys IS NOT NULL THEN\n        lc_keys := lc_past_keys;\n        PERFORM lifecycle.scheduled_v1(\'mids\', \'cascades.mid\', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_past_dues, \'{"again": true}\');\n    END IF;\n    RETURN NULL;\nEND\n',
                    hash="e866c4f4e012493c-2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_mids_u_365f7",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_keys bigint[];\n    lc_told bytea[];\n    lc_count bigint := (SELECT count(*) FROM old_rows);\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    IF lc_count = 0 THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce((lifecycle.ending_v1('cascades.mid') ->> 'count')::bigint = lc_count, false) THEN\n        PERFORM lifecycle.ended_v1('cascades.mid', NULL, lc_count);\n        RETURN NULL;\n    END IF;\n    BEGIN\n        SELECT array_agg(key ORDER BY key) INTO lc_keys\n        FROM (SELECT \"id\"::bigint AS key FROM old_rows) AS taken;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NULL THEN\n        PERFORM lifecycle.ended_v1('cascades.mid', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_count);\n    ELSE\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.mid', ROW(lc_keys, NULL, NULL, NULL)::lifecycle.subjects, lc_failure);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="cascades.mid-id-bigint-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_delete_aead7",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="BEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    PERFORM lifecycle.truncated_v1('cascades.mid');\n    RETURN NULL;\nEND\n",
                    hash="cascades.mid-id-bigint-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_truncate_25119",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_media_delete",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(DISTINCT name COLLATE \"C\") INTO lc_names\n        FROM (SELECT \"file\"::text AS name FROM old_rows) AS taken WHERE name <> '';\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.mid', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.mid', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="71e6022dcd9a9954-1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_lc_media_delete_ebac2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_media_update",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    BEGIN\n        SELECT array_agg(name ORDER BY name) INTO lc_names FROM (\n            SELECT \"file\"::text COLLATE \"C\" AS name FROM old_rows WHERE \"file\"::text <> ''\n            EXCEPT SELECT \"file\"::text COLLATE \"C\" FROM new_rows) AS replaced;\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.mid', NULL, lc_failure)\n        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;\n    ELSIF lc_names IS NOT NULL THEN\n        PERFORM lifecycle.media_orphaned_v1('cascades.mid', 'file', lc_names, '86400.000000 seconds'::interval);\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="71e6022dcd9a9954-1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_lc_media_update_2ef0d",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="cascades_mid",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mid",
            trigger=lifecycle.operations.Captured(
                name="lc_media_truncate",
                sql=lifecycle.operations.CaptureSql(
                    func="#variable_conflict use_column\nDECLARE\n    lc_names text[];\n    lc_name text;\n    lc_failure text;\nBEGIN\n    IF to_regnamespace('lifecycle') IS NULL THEN\n        RETURN NULL;\n    END IF;\n    lc_failure := NULL;\n    lc_names := '{}';\n    BEGIN\n        EXECUTE format('SELECT %I::text FROM ONLY %s LIMIT 0', 'file', TG_RELID::regclass);\n    EXCEPTION WHEN OTHERS THEN\n        lc_failure := SQLSTATE;\n    END;\n    IF lc_failure IS NOT NULL THEN\n        PERFORM lifecycle.capture_failed_v1('', 'cascades.mid', NULL, lc_failure);\n    ELSE\n        FOR lc_name IN EXECUTE format(\n            'SELECT %1$I::text FROM ONLY %2$s WHERE %1$I::text <> ''''', 'file', TG_RELID::regclass)\n        LOOP\n            lc_names := lc_names || lc_name;\n            IF cardinality(lc_names) = 1000 THEN\n                PERFORM lifecycle.media_orphaned_v1('cascades.mid', 'file', lc_names, '86400.000000 seconds'::interval);\n                lc_names := '{}';\n            END IF;\n        END LOOP;\n        IF lc_names <> '{}' THEN\n            PERFORM lifecycle.media_orphaned_v1('cascades.mid', 'file', lc_names, '86400.000000 seconds'::interval);\n        END IF;\n    END IF;\n    RETURN NULL;\nEND\n",
                    hash="71e6022dcd9a9954-1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_lc_media_truncate_41996",
                    table="cascades_mid",
                    when="BEFORE",
                ),
            ),
        ),
    ]
